"""A page of HTML printed as PDF, by a browser that is on the machine."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from app.domain.errors import NotFoundError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
SECONDS = 120
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-breakpad",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pdf-header-footer",
    "--disk-cache-size=1",
    # Nothing on the page is elsewhere, and nothing is to be asked for elsewhere.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
)


class NoBrowserError(NotFoundError):
    """No browser is on the machine."""


class PrintingError(NotFoundError):
    """The browser printed nothing."""


def find_browser() -> str:
    """Return the program of a browser that prints; refuse where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        msg = (
            "A PDF is printed by Chromium, which is not here: install it (on Debian: "
            "apt install chromium), or write --html and print that"
        )
        raise NoBrowserError(msg)
    return found


def printed(html: str) -> bytes:
    """
    Return a page as PDF.

    What the browser reads and writes is in a folder that only this user may read, and
    that is gone afterwards.

    Raises:
        NoBrowserError: there is none.
        PrintingError: it did not print.
    """
    browser = find_browser()
    with TemporaryDirectory(prefix="catchment-print-") as name:
        folder = Path(name)
        page, pdf = folder / "page.html", folder / "page.pdf"
        page.write_text(html, encoding="utf-8")
        command = [browser, *OPTIONS, f"--user-data-dir={folder / 'profile'}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Chromium's sandbox can't be set up by root.
            command.append("--no-sandbox")
        command += [f"--print-to-pdf={pdf}", page.as_uri()]
        try:
            subprocess.run(  # noqa: S603  (a browser on the path, our own options)
                command,
                check=True,
                timeout=SECONDS,
                capture_output=True,
                env=_environment(folder),
            )
        except (subprocess.SubprocessError, OSError):
            msg = "The browser did not print the page"
            raise PrintingError(msg) from None
        if not pdf.is_file():
            msg = "The browser printed nothing"
            raise PrintingError(msg)
        return pdf.read_bytes()


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment whose home and temporary files are in *folder*."""
    places = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | dict.fromkeys(places, str(folder))
