window.YTD.direct_messages_group.part0 = [
  {
    "dmConversation" : {
      "conversationId" : "1612345678901234567",
      "messages" : [
        { "conversationNameUpdate" : { "initiatingUserId" : "8002", "name" : "Map fans", "createdAt" : "2026-10-02T09:20:00.000Z" } },
        { "messageCreate" : { "reactions" : [ ], "urls" : [ ], "text" : "agenda", "mediaUrls" : [ ], "senderId" : "8002", "id" : "1700000000000000010", "createdAt" : "2026-10-02T09:15:00.120Z" } },
        { "messageCreate" : { "text" : "thanks", "senderId" : "7001", "id" : "1700000000000000011", "createdAt" : "2026-10-02T09:16:00.120Z" } },
        { "participantsJoin" : { "initiatingUserId" : "7001", "userIds" : [ "8003" ], "createdAt" : "2026-10-02T09:00:00.000Z" } }
      ]
    }
  }
]
