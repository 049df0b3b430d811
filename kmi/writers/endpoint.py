"""Where a model server is and what opens it: URL, key, timeouts, ready as an `openai` client.

Keys come from the environment only, and credentials in a URL are taken out of it before
anything can show, log or store it.

Not covered: what is asked (`kmi.writers.openai_server`).
"""

import os
from base64 import b64encode
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from kmi.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    import openai

KEY_VARIABLES = ("KMI_API_KEY", "OPENAI_API_KEY")
URL_VARIABLES = ("KMI_BASE_URL", "OPENAI_BASE_URL")
EXAMPLE = "Pass for example --base-url http://127.0.0.1:8000/v1"
# Local servers take any key, but the client insists on one.
NO_KEY = "no-key-needed"
CONNECT_TIMEOUT_SEC = 10.0


def variable_in_use(names: tuple[str, ...]) -> str | None:
    """The first of the environment variables that is set to something."""
    return next((name for name in names if os.environ.get(name, "").strip()), None)


def split_url(url: str | None) -> tuple[str, tuple[str, str] | None]:
    """Base URL without credentials, and user and password if it held any.

    Args:
        url: as the user gave it; None or "" falls back on `URL_VARIABLES`.
    """
    variable = variable_in_use(URL_VARIABLES)
    url = url or (os.environ[variable].strip() if variable else "")
    if not url:
        raise ConfigError("Expected the URL of a model server, got none.", f"{EXAMPLE}, or set {URL_VARIABLES[0]}.")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    # The URL itself is not quoted in these messages: it may hold a password.
    if not valid:
        raise ConfigError("Expected a base URL like http://HOST:PORT/v1, got something else.", f"{EXAMPLE}.")
    if parts.query or parts.fragment:
        raise ConfigError("Expected a base URL without '?' or '#'.", f"{EXAMPLE}; a key goes into {KEY_VARIABLES[0]}.")
    userinfo, _, host = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    clean = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    return clean, (unquote(user), unquote(password)) if userinfo else None


def connect(url: str, userinfo: tuple[str, str] | None, timeout_sec: float, max_retries: int) -> "openai.AsyncOpenAI":
    """A client for `url`; opens no connection yet.

    Args:
        url: base URL without credentials.
        userinfo: user and password for HTTP basic authentication, sent instead of a key.
        timeout_sec: longest silence before an attempt counts as failed.
        max_retries: attempts after the first.
    """
    try:
        import openai
    except ImportError:
        raise MissingExtra("The writer 'openai'", "openai", "generate") from None

    timeout = openai.Timeout(timeout_sec, connect=min(timeout_sec, CONNECT_TIMEOUT_SEC))
    return openai.AsyncOpenAI(
        api_key=_key(),
        base_url=url,
        max_retries=max_retries,
        timeout=timeout,
        # A proxy set for the internet must not get what is meant for this machine.
        http_client=openai.DefaultAsyncHttpxClient(auth=userinfo, trust_env=not _is_loopback(url), timeout=timeout),
    )


def hider(key: str, userinfo: tuple[str, str] | None, shortest: int = 1) -> Callable[[str], str]:
    """A function that takes out of a server's words what opened it: the key, the password, and both as they are sent.

    Args:
        key: what is sent where no user and password are.
        userinfo: user and password.
        shortest: leaves shorter ones in.
    """
    found = {key}
    if userinfo:
        user, password = userinfo
        found |= {password, quote(password), quote(password, safe=""), b64encode(f"{user}:{password}".encode()).decode()}
    secrets = sorted((secret for secret in found if len(secret) >= shortest), key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    return hide


def _key() -> str:
    variable = variable_in_use(KEY_VARIABLES)
    # A newline copied along would be refused as a header, by an error that quotes the header.
    key = os.environ[variable].strip() if variable else NO_KEY
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"The key in {variable} holds characters that no key has.", "Copy it again.")
    return key


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
