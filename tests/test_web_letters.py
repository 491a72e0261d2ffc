"""Messages that nobody could read: by reason, with their bytes, forgotten one by one or all of a kind."""

from sqlalchemy import Engine

from ledger import notes
from ledger.tables import rejected
from tests.ledger_steps import number_of
from tests.web_steps import (
    Site,
    buttons,
    text,
    visited,  # noqa: F401
)

UNREADABLE = "it is no Dramatiq message: nonsense"


def kept(engine: Engine, number: int = 1, queue: str = "mail", body: bytes = b'{"a": 1}') -> None:
    for place in range(number):
        reason = f"it hints at run 0190{place:04d}-7b22-7000-8000-000000000000, which the ledger does not know"
        notes.reject(engine, queue, reason, body)


def first_link(page, words: str) -> str:
    return next(link["href"] for link in page.select("main a") if text(link).startswith(words))


def test_without_any_the_page_says_so(site: Site):
    assert "Every message could be read." in text(site.page("/dead-letters").main)


def test_messages_of_one_reason_are_one_kind_and_queues_lead_here(site: Site):
    kept(site.engine, 3)
    notes.reject(site.engine, "default", UNREADABLE, b"x")
    kinds, messages = site.page("/dead-letters").select("table.letters")
    assert [text(line.td) for line in kinds.select("tbody tr")] == [
        "it hints at run …, which the ledger does not know",
        UNREADABLE,
    ]
    assert len(messages.select("tbody tr")) == 4
    assert "Dead letters 4" in text(site.page("/queues").main)
    assert len(site.page("/dead-letters?queue=default").select("table.letters")[1].select("tbody tr")) == 1


def test_a_message_is_shown_as_text_and_bytes_and_can_be_downloaded(site: Site):
    body = bytes(range(256)) + "né <b>".encode()
    notes.reject(site.engine, "mail", UNREADABLE, body)
    page = site.page(first_link(site.page("/dead-letters"), UNREADABLE))
    as_text, as_bytes = [each.get_text() for each in page.select("pre")]
    assert "né <b>" in as_text
    assert "00000040  40 41 42" in as_bytes and "@ABCDEFGHIJKLMNO" in as_bytes
    answer = site.client.get(first_link(page, "Download"))
    assert answer.data == body
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_one_message_is_forgotten(site: Site):
    kept(site.engine, 2)
    page = site.page(first_link(site.page("/dead-letters"), "it hints"))
    assert site.press(page, "Forget").status_code == 303
    assert number_of(site.engine, rejected) == 1
    assert site.press(page, "Forget").status_code == 404


def test_a_kind_is_forgotten_after_a_question_and_what_came_since_stays(site: Site):
    kept(site.engine, 3)
    notes.reject(site.engine, "mail", UNREADABLE, b"x")
    question = site.page(first_link(site.page("/dead-letters"), "Forget 3…"))
    assert "Forget 3 messages" in buttons(question)
    kept(site.engine)
    assert site.press(question, "Forget 3 messages").status_code == 303
    assert number_of(site.engine, rejected) == 2


def test_more_than_a_hundred_want_the_name_of_their_queue(site: Site):
    kept(site.engine, 101)
    question = site.page(first_link(site.page("/dead-letters"), "Forget 101…"))
    for typed in ("", "male"):
        answer = site.press(question, "Forget 101 messages", typed=typed)
        assert answer.status_code == 422 and "Type the queue" in answer.text
    assert number_of(site.engine, rejected) == 101
    assert site.press(question, "Forget 101 messages", typed="mail").status_code == 303
    assert number_of(site.engine, rejected) == 0


def test_a_message_that_is_gone_is_not_found(site: Site):
    assert "No such message" in text(site.page("/dead-letters/nothing", 404))
