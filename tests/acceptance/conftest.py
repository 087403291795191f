"""Let a failed comparison in the helpers of this folder show its two sides."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.acceptance.desk", "tests.acceptance.watched")
