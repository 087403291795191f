"""The six networks: their channels, message types, posts, and what their message ids look like.

Ids are unique because each carries the running number of its message, put through a step that maps different
numbers to different ones and leaves no visible order, or because it carries at least 120 random bits. Hosts of post
addresses are under ``.example`` (RFC 2606), so that no invented post leads to a real one.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Bits = Callable[[int], int]
    IdMaker = Callable[[Bits, int, int, str], str]

_DIGITS_15 = 10**15
_STEP_15 = 618_033_988_749_897  # has no factor in common with 10**15, so the step is one to one
_STEP_22 = 2_654_435_761  # odd, so the step is one to one modulo 2**22
_SNOWFLAKE_START_MS = 1_288_834_974_657  # the network's own day zero, 4 November 2010


class Channel(NamedTuple):
    """One account of the office on one network, in the columns of the export."""

    name: str
    channel_display_name: str


class Network(NamedTuple):
    """One network; an empty ``public_types`` means that it knows private messages only."""

    medium: str
    channels: tuple[Channel, ...]
    private_types: tuple[str, ...]
    public_types: tuple[str, ...]
    private_weight: int
    public_weight: int
    private_id: IdMaker
    public_id: IdMaker
    post_url: Callable[[str, str], str]


def _serial(number: int) -> int:
    return (number * _STEP_15) % _DIGITS_15


def _base64(bits: Bits, size: int) -> str:
    return b2a_base64(bits(8 * size).to_bytes(size, "big"), newline=False).decode("ascii")


def _messenger_id(bits: Bits, number: int, _second: int, _post: str) -> str:
    return ("mid.$cAA" if number & 1 else "m_") + _base64(bits, 21).replace("+", "-").replace("/", "_")


def _page_comment_id(_bits: Bits, number: int, _second: int, post: str) -> str:
    return f"{post}_{_DIGITS_15 + _serial(number)}"


def _snowflake_id(bits: Bits, number: int, second: int, _post: str) -> str:
    millisecond = 1000 * second + bits(10) % 1000 - _SNOWFLAKE_START_MS
    return str((millisecond << 22) | (number * _STEP_22 & 0x3FFFFF))


def _item_id(bits: Bits, _number: int, _second: int, _post: str) -> str:
    return "aWdfZAG1f" + _base64(bits, 24)


def _picture_comment_id(_bits: Bits, number: int, _second: int, _post: str) -> str:
    return f"17{_serial(number):015d}"


def _uuid_id(bits: Bits, _number: int, _second: int, _post: str) -> str:
    text = f"{bits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _wamid_id(bits: Bits, _number: int, _second: int, _post: str) -> str:
    return f"wamid.HBgMNDQ3NzAwOTAw{_base64(bits, 18)}AA=="


def _thread_id(bits: Bits, _number: int, _second: int, _post: str) -> str:
    return "2-MTc" + _base64(bits, 24)


def _activity_comment_id(_bits: Bits, number: int, _second: int, post: str) -> str:
    return f"urn:li:comment:(activity:{post},{7 * 10**18 + _serial(number)})"


NETWORKS = (
    Network(
        medium="fb",
        channels=(Channel("107700112233441", "Northfold Statistics"), Channel("107700112233458", "Northfold Census")),
        private_types=("Private message",),
        public_types=("Comment", "Comment", "Visitor post"),
        private_weight=26,
        public_weight=40,
        private_id=_messenger_id,
        public_id=_page_comment_id,
        post_url=lambda channel, post: f"https://www.facebook.example/{channel}_{post}",
    ),
    Network(
        medium="twit",
        channels=(Channel("NorthfoldStats", "Northfold Statistics"), Channel("NorthfoldHelp", "Northfold Help")),
        private_types=("DM",),
        public_types=("Post comment", "Post mention"),
        private_weight=18,
        public_weight=30,
        private_id=_snowflake_id,
        public_id=_snowflake_id,
        post_url=lambda channel, post: f"https://x.example/{channel}/status/{post}",
    ),
    Network(
        medium="instagram",
        channels=(Channel("northfold.stats", "Northfold in Numbers"),),
        private_types=("Instagram DM", "Instagram DM", "Story reply DM"),
        public_types=("Instagram comment",),
        private_weight=16,
        public_weight=20,
        private_id=_item_id,
        public_id=_picture_comment_id,
        post_url=lambda _channel, post: f"https://www.instagram.example/p/C{post}/",
    ),
    Network(
        medium="rtm",
        channels=(Channel("web-chat", "Website chat"), Channel("survey-chat", "Survey portal chat")),
        private_types=("private_chat",),
        public_types=(),
        private_weight=18,
        public_weight=0,
        private_id=_uuid_id,
        public_id=_uuid_id,
        post_url=lambda _channel, _post: "",
    ),
    Network(
        medium="whatsapp",
        channels=(Channel("northfold-whatsapp", "Northfold WhatsApp"),),
        private_types=("private_message",),
        public_types=(),
        private_weight=16,
        public_weight=0,
        private_id=_wamid_id,
        public_id=_wamid_id,
        post_url=lambda _channel, _post: "",
    ),
    Network(
        medium="linkedin",
        channels=(Channel("northfold-statistics", "Northfold Statistics"),),
        private_types=("Private message", "InMail private message"),
        public_types=("Comment", "Post comment"),
        private_weight=6,
        public_weight=10,
        private_id=_thread_id,
        public_id=_activity_comment_id,
        post_url=lambda _channel, post: f"https://www.linkedin.example/feed/update/{post}",
    ),
)


class Place(NamedTuple):
    """Where a conversation can happen: one network, one channel of it, one type of message."""

    network: Network
    channel: Channel
    message_type: str


def _traffic(*, private: bool) -> tuple[Place, ...]:
    # Each network by its weight, and each of its channels and types alike: 12 is a multiple of all their numbers.
    return tuple(
        Place(network, network.channels[n % len(network.channels)], types[n // 2 % len(types)])
        for network in NETWORKS
        if (types := network.private_types if private else network.public_types)
        for n in range(12 * (network.private_weight if private else network.public_weight))
    )


PRIVATE_TRAFFIC = _traffic(private=True)
PUBLIC_TRAFFIC = _traffic(private=False)
