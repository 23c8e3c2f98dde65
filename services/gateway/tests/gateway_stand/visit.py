"""An open page of the dashboard, and everything it complained about."""

from typing import Any

from playwright.sync_api import BrowserContext, Page


class Visit:
    """An open page, and everything it complained about."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.strangers: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self._request(request.url, url))

    def _console(self, message: Any) -> None:
        # A browser complains about every 404; the page itself goes on without a plan or a record.
        missed = message.location.get("url", "").endswith(("/plan", "/log?after=0&limit=5000"))
        if message.type in ("error", "warning") and not any(
            word in message.text for word in (*self.expected, *(["404"] if missed else []))
        ):
            self.complaints.append(f"{message.type}: {message.text}")

    def _request(self, asked: str, own: str) -> None:
        if not asked.startswith((own, "data:", f"blob:{own}")):
            self.strangers.append(asked)
