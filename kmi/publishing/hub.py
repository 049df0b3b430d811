"""Sends staged repositories to the Hub: only what changed, one commit each, so that a second run or one after a break does the rest.

What is on the Hub is compared by content: the git hash of small files, the SHA-256 of large ones. A large file that arrived before a
break is not sent again; a commit is made whole or not at all.

Not covered: what is in the repositories (`kmi.publishing.staging`), whether it may go (`kmi.publishing.checks`).
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kmi.errors import ConfigError, KmiError
from kmi.publishing.repositories import Target
from kmi.publishing.staging import Staged

if TYPE_CHECKING:
    from huggingface_hub import HfApi

OF_THE_HUB = {".gitattributes"}  # written by the Hub when it makes a repository


class HubError(KmiError):
    """The Hub did not take something, or could not be reached; what is there already is not sent again."""


@dataclass(slots=True)
class Plan:
    """What is to be done for one repository; `existing` and `private`: None where not known; `tagged`: the tag is there already."""

    staged: Staged
    id: str
    existing: bool | None
    private: bool | None = None
    added: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    tagged: bool = False
    outcome: str = ""

    @property
    def type(self) -> str:
        """The Hub's type: dataset, model or space."""
        return self.staged.repository.type

    @property
    def differs(self) -> bool:
        """Whether a commit is needed."""
        return bool(self.added or self.changed or self.removed)

    @property
    def bytes(self) -> int:
        """Of the files to be sent."""
        return sum((self.staged.folder / path).stat().st_size for path in (*self.added, *self.changed))

    @property
    def action(self) -> str:
        """In a word: create, update, tag or unchanged."""
        return "update" if self.existing and self.differs else "unchanged" if self.existing else "create"


def check_rights(api: "HfApi", target: Target) -> None:
    """Raises `ConfigError` unless the token may write to the namespace."""
    if not api.token:
        raise ConfigError("Publishing needs a token of the Hub, found none.", "Type: hf auth login, or export HF_TOKEN=... (a token that may write).")
    with _reported("asking who the token belongs to"):
        who = api.whoami()
    role = ((who.get("auth") or {}).get("accessToken") or {}).get("role")
    if role == "read":
        raise ConfigError("Expected a token that may write, got one that may only read.", "Make one at https://huggingface.co/settings/tokens.")
    roles = {who["name"]: "admin"} | {org["name"]: org.get("roleInOrg", "") for org in who.get("orgs", ())}
    if target.namespace not in roles:
        raise ConfigError(f"The token may not write to {target.namespace!r}; it belongs to {who['name']!r}.", f"Use --namespace with one of: {', '.join(roles)}.")
    if roles[target.namespace] == "read":
        raise ConfigError(f"The token may only read in {target.namespace!r}.", "Ask an administrator of the organisation for the right to write.")


def check_cards(repositories: list[Staged]) -> list[str]:
    """The faults that the Hub itself finds in the cards; empty if none."""
    from huggingface_hub import RepoCard

    found = []
    for staged in repositories:
        with _reported(f"having the card of {staged.repository.name} looked at"):
            try:
                RepoCard.load(staged.folder / "README.md", repo_type=staged.repository.type).validate(repo_type=staged.repository.type)
            except ValueError as error:
                found.append(f"{staged.repository.name}: README.md: the Hub says: {error}")
    return found


def plan(staged: Staged, target: Target, api: "HfApi") -> Plan:
    """Compares a staged repository with what is on the Hub.

    Raises:
        ConfigError: if the tag names other content already: a tag is not moved.
    """
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    repository, id_ = staged.repository, target.id(staged.repository.name)
    with _reported(f"looking at {id_}"):
        try:
            tree = api.list_repo_tree(id_, recursive=True, repo_type=repository.type)
            there = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
            info = api.repo_info(id_, repo_type=repository.type)
            tagged = None if target.revision == "main" else _commit_of(api, id_, repository.type, target.revision)
        except RepositoryNotFoundError:
            return Plan(staged, id_, existing=False, added=staged.files)
    found = Plan(staged, id_, existing=True, private=info.private, tagged=tagged is not None, removed=sorted(there.keys() - {path.as_posix() for path in staged.files} - OF_THE_HUB))
    for path in staged.files:
        remote = there.get(path.as_posix())
        if remote is None:
            found.added.append(path)
        elif _content(staged.folder / path, remote.lfs is not None) != (remote.lfs.sha256 if remote.lfs else remote.blob_id):
            found.changed.append(path)
    if found.tagged and (found.differs or tagged != info.sha):
        raise ConfigError(f"{id_} has a tag {target.revision!r} already, of other content.", "Use another --tag; a tag that people rely on is not moved.")
    return found


def send(plan: Plan, target: Target, api: "HfApi", message: str, *, private: bool | None) -> None:
    """Creates, commits and tags one repository as planned; `private`: None leaves what exists as it is and creates privately.

    Raises:
        HubError: if the Hub fails; the same call again does what is left.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    with _reported(f"sending {plan.id}"):
        sdk = {"space_sdk": "gradio"} if plan.type == "space" else {}
        if not plan.existing:
            api.create_repo(plan.id, repo_type=plan.type, private=private is not False, exist_ok=True, **sdk)
        elif private is not None and private != plan.private:
            api.update_repo_settings(plan.id, repo_type=plan.type, private=private)
        if plan.differs:
            adds = [CommitOperationAdd(path.as_posix(), plan.staged.folder / path) for path in (*plan.added, *plan.changed)]
            commit = api.create_commit(
                plan.id, [*adds, *(CommitOperationDelete(path) for path in plan.removed)], commit_message=message, repo_type=plan.type
            )
            plan.outcome = commit.oid
        if target.revision != "main" and not plan.tagged:
            api.create_tag(plan.id, tag=target.revision, repo_type=plan.type)


def table(plans: list[Plan], target: Target) -> str:
    """What is to be done or was done, a repository a line."""
    lines = [f"{'repository':<44}{'what':<11}{'new':>5}{'changed':>9}{'removed':>9}{'MB to send':>12}  tag / commit"]
    for one in plans:
        what = one.action if one.existing is not None else "not looked at"
        tag = "" if target.revision == "main" else f"{target.revision} "
        counts = f"{len(one.added):>5}{len(one.changed):>9}{len(one.removed):>9}{one.bytes / 1e6:>12.2f}"
        lines.append(f"{one.type + ' ' + one.id:<44}{what:<11}{counts}  {tag}{one.outcome[:12]}")
    return "\n".join(lines)


def _commit_of(api: "HfApi", id_: str, type_: str, revision: str) -> str | None:
    from huggingface_hub.errors import RevisionNotFoundError

    try:
        return api.repo_info(id_, repo_type=type_, revision=revision).sha
    except RevisionNotFoundError:
        return None


def _content(path: Path, large: bool) -> str:
    """What the Hub knows a file by: SHA-256 of large files, the hash of git of others."""
    from huggingface_hub.utils.sha import git_hash

    if not large:
        return git_hash(path.read_bytes())
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _reported(doing: str) -> Iterator[None]:
    """Failures of the Hub or the network as an error that says what to do."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    # The base of every error of the HTTP library, whichever this huggingface_hub uses.
    broken = HfHubHTTPError.__bases__[0]
    again = "Type the same command again: it goes on where it broke off."
    try:
        yield
    except OfflineModeIsEnabled:
        raise ConfigError("Publishing needs the network, but HF_HUB_OFFLINE is set.", "Type: unset HF_HUB_OFFLINE") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise ConfigError(f"The Hub refused while {doing} ({status}).", "Check the token's rights at https://huggingface.co/settings/tokens.") from None
        raise HubError(f"The Hub failed while {doing} ({status or type(error).__name__}).", again) from None
    except (broken, ConnectionError, TimeoutError) as error:
        raise HubError(f"The connection broke while {doing} ({type(error).__name__}).", again) from None
