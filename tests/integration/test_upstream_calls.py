"""The small table of messages that an interface is to delete, on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.store import upstream_calls
from retention.store.upstream_calls import INTENDED, WAITING, Call

if TYPE_CHECKING:
    from tests.integration.work import Work


def test_identifiers_come_once_and_go_when_they_are_settled(work: Work) -> None:
    many = [(7, f"id-{number:04}") for number in range(1200)]
    with work.context.database.write() as connection:
        upstream_calls.enlist(connection, 1, many)
        upstream_calls.enlist(connection, 2, [(7, "id-0000"), (8, "id-0000"), (7, "id-9999")])
        assert (upstream_calls.count(connection), upstream_calls.count(connection, 8)) == (1202, 1)
        first = upstream_calls.after(connection, 7, "", limit=2)
        assert first == [Call("id-0000", 1, WAITING, 0), Call("id-0001", 1, WAITING, 0)]
        upstream_calls.intend(connection, 7, ["id-0001", "id-0003"])
        assert [
            one.message_id for one in upstream_calls.after(connection, 7, "id-0001", limit=9, states=[INTENDED])
        ] == ["id-0003"]
        upstream_calls.put_back(connection, 7, ["id-0001"], refused=True)
        assert upstream_calls.after(connection, 7, "id-0000", limit=1) == [Call("id-0001", 1, WAITING, 1)]
        upstream_calls.settle(connection, 7, [one for _, one in many])
        assert upstream_calls.listed_anywhere(connection, ["id-0000", "id-0001", "id-9999"]) == {"id-0000", "id-9999"}
    assert work.context.database.erase() is None
    with work.context.database.read() as connection:
        assert upstream_calls.count(connection) == 2
