"""The runner: many sessions through one writer, concurrently, resumable, shared by processes.

Each process takes every n-th session, keeps as many going at once as the writer is worth,
and answers from the ledger what was asked before. A writer that cannot answer anything, or nothing
that is of use, stops the run; a session it cannot answer is left for the next run; one that fails the checks is
kept as failed with its reason.

Not covered: reading posts (`kmi.clients.contexts`), what a session is (`turn_mode`, `plan_mode`).
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import kmi
from kmi.clients.cases import Case
from kmi.corpus.dialogue_checks import check_dialogue
from kmi.dialogue import Dialogue, Provenance, Utterance
from kmi.errors import KmiError, WriterError, WriterUnavailable
from kmi.simulation.decision import Policy
from kmi.simulation.director import Director
from kmi.simulation.ledger import Ledger
from kmi.simulation.plan_mode import roll_out, write_session
from kmi.simulation.run_folder import RunFolder
from kmi.simulation.turn_mode import Ask, SessionFailed, simulate
from kmi.writers.base import Completion, NotYet, Writer, WriteRequest

log = logging.getLogger(__name__)

MODES = ("turn", "plan")
# So many sessions may fail while no answer has passed the checks; a model that writes no Korean is not paid for a thousand.
HOPELESS_AFTER = 10


@dataclass
class RunReport:
    """What one process did. Times in seconds; `asked` are requests that reached the writer."""

    finished: int = 0
    failed: int = 0
    waiting: int = 0
    unanswered: int = 0
    already_over: int = 0
    asked: int = 0
    from_ledger: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    reasons: Counter = field(default_factory=Counter)

    @property
    def sessions_done(self) -> int:
        """Sessions this process brought to an end in this run."""
        return self.finished + self.failed

    def to_dict(self) -> dict:
        """Plain values for report.json."""
        return {**asdict(self), "reasons": dict(self.reasons), "seconds": round(self.seconds, 1)}


@dataclass
class Runner:
    """Runs this process's share of `cases`; see the module docstring.

    Args:
        cases: all cases of the run, in the order of the posts.
        writer: answers requests.
        forecaster: ranks labels (`kmi.Forecaster`).
        policy: decides among them.
        mode: "turn" or "plan".
        folder: where it all goes.
        process, processes: which share this process takes.
        on_progress: called with the report after every session and answer.
    """

    cases: Sequence[Case]
    writer: Writer
    forecaster: object
    policy: Policy
    mode: str
    folder: RunFolder
    process: int = 0
    processes: int = 1
    on_progress: Callable[[RunReport], None] = lambda report: None
    report: RunReport = field(default_factory=RunReport)
    _usable: bool = field(init=False, default=False)  # an answer has passed the checks

    def run(self) -> RunReport:
        """Works until every session of the share is over, waiting or unanswered."""
        return asyncio.run(self._run())

    async def _run(self) -> RunReport:
        start = time.monotonic()
        over = self.folder.over()
        self._usable = "finished" in over.values()
        share = [index for index in range(self.process, len(self.cases), self.processes) if index not in over]
        self.report.already_over = len(range(self.process, len(self.cases), self.processes)) - len(share)
        self.ledger = Ledger(self.folder.path / "ledger", self.process)
        queue = iter(share)
        try:
            if share:
                await self.writer.prepare()
                # Only now is the model known where the server was asked for its only one.
                self.folder.agree("writer", self.writer.describe())
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.writer.concurrency, len(share))):
                        group.create_task(self._worker(queue))
        except* KmiError as errors:
            raise _first(errors) from None
        finally:
            self.ledger.close()
            await self.writer.close()
            self.report.seconds = time.monotonic() - start
        return self.report

    async def _worker(self, queue) -> None:
        for index in queue:
            await self._session(index)
            self.on_progress(self.report)

    async def _session(self, index: int) -> None:
        case = self.cases[index]
        director = Director(case, self.forecaster, self.policy)
        models: set[str] = set()  # as the answers name them, never a path of this machine

        async def ask(request: WriteRequest) -> Completion:
            # A session planned ahead has its turns before any is written.
            self._usable |= self.mode == "turn" and bool(director.turns)
            completion = await self._ask(request)
            models.add(completion.model)
            return completion

        try:
            dialogue = self._dialogue(case, *await self._written(director, ask), models)
        except SessionFailed as error:
            self._fail(index, str(error))
        except NotYet:
            self.report.waiting += 1
        except WriterUnavailable:
            raise
        except WriterError as error:
            # Not recorded as over: the next run asks again.
            self.report.unanswered += 1
            self.report.reasons[str(error)] += 1
            log.warning("session %s: %s", case.id, error)
        else:
            findings = check_dialogue(dialogue)
            if findings:
                self._fail(index, f"the finished session fails a check: {findings[0]}")
            else:
                self.folder.record(index, case.id, dialogue=dialogue.to_dict())
                self.report.finished += 1
                self._usable = True

    def _fail(self, index: int, reason: str) -> None:
        self.folder.record(index, self.cases[index].id, reason=reason)
        self.report.failed += 1
        self.report.reasons[reason.rpartition(": ")[2]] += 1
        if self.report.failed >= HOPELESS_AFTER and not self._usable:
            problem = f"The first {self.report.failed} sessions failed before any answer passed the checks; session {self.cases[index].id}: {reason}."
            raise WriterUnavailable(problem, "Choose a model that writes Korean as it is asked to, and name another --out.")

    async def _written(self, director: Director, ask: Ask) -> tuple[tuple[Utterance, ...], str]:
        """Utterances and post of a session."""
        if self.mode == "turn":
            return await simulate(director, ask), director.case.context
        written = await write_session(roll_out(director), ask)
        return written.utterances, written.context

    def _dialogue(self, case: Case, utterances: tuple[Utterance, ...], context: str, models: set[str]) -> Dialogue:
        return Dialogue(
            id=case.id,
            category=case.category,
            context=context,
            utterances=utterances,
            profile=case.profile,
            arc=case.arc,
            ending=case.ending,
            provenance=Provenance(
                writer=self.writer.name,
                model=", ".join(sorted(models)),
                mode=self.mode,
                seed=case.seed,
                forecaster_revision=self.forecaster.revision,
                package_version=kmi.__version__,
            ),
        )

    async def _ask(self, request: WriteRequest) -> Completion:
        completion = self.ledger.get(request)
        if completion is not None:
            self.report.from_ledger += 1
            return completion
        completion = await self.writer.write(request)
        self.ledger.put(request, completion)
        self.report.asked += 1
        self.report.prompt_tokens += completion.prompt_tokens
        self.report.output_tokens += completion.output_tokens
        self.on_progress(self.report)
        return completion


def _first(group: BaseExceptionGroup) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
