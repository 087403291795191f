window.YTD.direct_messages.part0 = [
  {
    "dmConversation" : {
      "conversationId" : "7001-8002",
      "messages" : [
        {
          "messageCreate" : {
            "recipientId" : "8002",
            "reactions" : [ ],
            "urls" : [ ],
            "text" : "We open at nine.",
            "mediaUrls" : [ ],
            "senderId" : "7001",
            "id" : "1700000000000000002",
            "createdAt" : "2026-10-01T08:40:11.020Z"
          }
        },
        {
          "messageCreate" : {
            "recipientId" : "7001",
            "reactions" : [ { "senderId" : "7001", "reactionKey" : "like", "eventId" : "1", "createdAt" : "2026-10-01T08:41:00.000Z" } ],
            "urls" : [ { "url" : "https://t.co/x", "expanded" : "https://example.org", "display" : "example.org" } ],
            "text" : "When do you open?",
            "mediaUrls" : [ ],
            "senderId" : "8002",
            "id" : "1700000000000000001",
            "createdAt" : "2026-10-01T08:35:10.744Z"
          }
        }
      ]
    }
  },
  {
    "dmConversation" : {
      "conversationId" : "7001-8003",
      "messages" : [
        { "messageCreate" : { "recipientId" : "7001", "senderId" : "8003", "text" : "?", "id" : "1700000000000000003", "createdAt" : "" } }
      ]
    }
  }
]
