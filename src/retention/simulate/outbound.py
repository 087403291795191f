"""One outbound message: what it is before and after its time to be sent, and how the REST API spells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.simulate.clock import zulu

if TYPE_CHECKING:
    from retention.simulate.answers import Fields
    from retention.simulate.directory import Profile

SCHEDULED, PENDING, REJECTED, SENT, FAILED = (
    "SCHEDULED",
    "PENDING_APPROVAL",
    "REJECTED",
    "SENT",
    "SEND_FAILED_PERMANENTLY",
)
STATES = (PENDING, REJECTED, SENT, SCHEDULED, FAILED)
BECOMES = {SCHEDULED: SENT, PENDING: REJECTED, REJECTED: REJECTED, FAILED: FAILED}
"""What a message of each state is once its time to be sent has passed."""

_ADDRESSES = {"FACEBOOKPAGE": "https://www.facebook.example", "LINKEDINCOMPANY": "https://www.linkedin.example"}
_ENDS = {SENT: "SEND", FAILED: "SENDFAIL", REJECTED: "EXPIRE"}


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a message's review."""

    actor_type: str
    actor: str
    action: str
    at_ms: int


@dataclass(slots=True)
class Outbound:
    """One message to one social profile; ``before`` and ``after`` are its states around ``at_ms``."""

    number: int
    at_ms: int
    profile: Profile
    before: str
    after: str
    text: str
    author: str
    created_ms: int
    timed: bool = True
    sequence: int | None = None
    asked: Fields = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)

    @property
    def key(self) -> tuple[int, int]:
        """Give its place in the listing."""
        return self.at_ms, self.number

    def state(self, now_ms: int) -> str:
        """Tell its state at an instant."""
        return self.after if self.at_ms <= now_ms and self.timed else self.before

    def published(self, now_ms: int) -> Fields:
        """Spell it as the REST API does."""
        state = self.state(now_ms)
        told: Fields = {
            "id": str(self.number),
            "state": state,
            "text": self.text,
            "socialProfile": {"id": self.profile.profile_id},
            "createdByMember": {"id": self.author},
            "lastUpdatedByMember": {"id": self.author},
            "webhookUrls": [],
            "tags": [],
            "reviewers": [],
            **self.asked,
        }
        if self.timed:
            told["scheduledSendTime"] = zulu(self.at_ms)
        if state == PENDING:
            told["sequenceNumber"] = self.sequence
            told["reviewers"] = [{"id": self.author, "type": "MEMBER"}]
        if state == SENT:
            told["postId"] = str(7 * 10**17 + self.number)
            if address := _ADDRESSES.get(self.profile.kind):
                told["postUrl"] = f"{address}/{self.profile.network_id}/posts/{told['postId']}"
        return told

    def history(self, now_ms: int) -> list[Fields]:
        """Tell its review, oldest step first."""
        steps = [Action("MEMBER", self.author, "CREATE", self.created_ms), *self.actions]
        state = self.state(now_ms)
        if self.timed and self.at_ms <= now_ms and state in _ENDS and (state != REJECTED or self.before != REJECTED):
            steps.append(Action("SYSTEM", "0", _ENDS[state], self.at_ms))
        return [
            {
                "actorType": step.actor_type,
                "actorId": step.actor,
                "actionType": step.action,
                "timestamp": zulu(step.at_ms),
            }
            for step in steps
        ]
