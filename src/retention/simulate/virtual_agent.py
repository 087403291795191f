"""The desk of the Inbox: conversations that a virtual agent looks after, attachments, contact attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.simulate.clock import moment
from retention.simulate.inbox import Inbox

if TYPE_CHECKING:
    from retention.demo.exports import DemoMessage, HistorySpec
    from retention.simulate.answers import Fields


@dataclass
class Proactive:
    """One proactive message, and what became of it."""

    contact: str
    status: str
    reason: str = ""


class Desk:
    """What the Inbox knows beside its messages."""

    def __init__(self, spec: HistorySpec) -> None:
        """Begin with the history and nothing done about it."""
        self.inbox = Inbox(spec)
        self.attributes: dict[str, dict[str, object]] = {}
        self.proactive: dict[str, Proactive] = {}
        self._attachments: set[tuple[str, str]] = set()
        self._completed: set[str] = set()
        self._begun: set[str] = set()

    def last_of(self, conversation: str, now_ms: int) -> DemoMessage | None:
        """Give the last message of a conversation that the virtual agent still looks after."""
        found = None
        if conversation not in self._completed:
            for message in self.inbox.seen(now_ms):
                if message.conversation_id == conversation:
                    found = message
        return found

    def knows(self, contact: str, now_ms: int) -> bool:
        """Tell whether a contact ever wrote."""
        return any(message.contact_profile_id == contact for message in self.inbox.seen(now_ms))

    def attach(self, conversation: str, filename: str) -> None:
        """Take an attachment for a conversation."""
        self._attachments.add((conversation, filename))

    def has(self, conversation: str, filename: str) -> bool:
        """Tell whether an attachment was uploaded for a conversation."""
        return (conversation, filename) in self._attachments

    def complete(self, conversation: str) -> None:
        """Take a conversation away from the virtual agent."""
        self._completed.add(conversation)

    def begin(self, conversation: str) -> bool:
        """Give a conversation to the virtual agent and tell whether it is new to it."""
        new = conversation not in self._begun
        self._begun.add(conversation)
        return new

    def assign(self, conversation: str) -> None:
        """Give a conversation to the virtual agent."""
        self._completed.discard(conversation)

    def answer(self, last: DemoMessage, message_id: str, text: str, now_ms: int) -> None:
        """Write to the contact of a conversation, as the office."""
        self.inbox.add(
            last._replace(
                message_id=message_id,
                received_at=moment(now_ms),
                direction="outbound",
                content=text,
                sentiment="",
                agent_id="900000",
                agent_name="Virtual agent",
            )
        )

    def carry_out(self, last: DemoMessage, asked: Fields, ids: list[str], now_ms: int) -> None:
        """Do to a conversation what a virtual agent asks for; ``ids`` are the ids of the messages it sends."""
        for message_id, text in zip(ids, sent_texts(asked), strict=True):
            self.answer(last, message_id, text, now_ms)
        attributes = asked.get("setContactAttributes")
        if isinstance(attributes, dict):
            kept = self.attributes.setdefault(last.contact_profile_id, {})
            for name, value in attributes.items():
                kept.setdefault(name, value)
        if asked.get("complete"):
            self.complete(last.conversation_id)


def sent(asked: Fields) -> list[Fields]:
    """List the messages that a virtual agent asks to send."""
    one, many = asked.get("sendMessage"), asked.get("sendMessages")
    found = [one] if one is not None else []
    found += many if isinstance(many, list) else []
    return [message for message in found if isinstance(message, dict)]


def sent_texts(asked: Fields) -> list[str]:
    """List their texts; an attachment goes by its name."""
    return [str(message.get("text") or message.get("attachment") or "") for message in sent(asked)]
