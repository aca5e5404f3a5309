"""What must not be missing, and how many tests may be skipped.

QAP_REQUIRE=g++,tensorflow,...  programs and packages without which nothing is run
QAP_MAX_SKIPS=7                 more skipped tests than this fail the run
"""

import os

import pytest

pytest.register_assert_rewrite("support")

from support.needs import missing


def pytest_configure(config: pytest.Config) -> None:
    required = [name.strip() for name in os.environ.get("QAP_REQUIRE", "").split(",")]
    if why := missing(*filter(None, required)):
        raise pytest.UsageError(f"QAP_REQUIRE: {'; '.join(why)}")
    if _limit() is None and os.environ.get("QAP_MAX_SKIPS"):
        raise pytest.UsageError(f"QAP_MAX_SKIPS is {os.environ['QAP_MAX_SKIPS']!r}; it takes a number of tests")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    limit = _limit()
    allowed = "" if limit is None else f", of at most {limit} (QAP_MAX_SKIPS)"
    terminalreporter.write_line(f"skipped: {_skips(terminalreporter)}{allowed}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter, limit = session.config.pluginmanager.get_plugin("terminalreporter"), _limit()
    counts = not hasattr(session.config, "workerinput")  # the one who starts xdist's workers counts for them
    if counts and limit is not None and _skips(reporter) > limit and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skips(reporter: pytest.TerminalReporter) -> int:
    return len(reporter.stats.get("skipped", []))


def _limit() -> int | None:
    text = os.environ.get("QAP_MAX_SKIPS", "")
    return int(text) if text.isdecimal() else None
