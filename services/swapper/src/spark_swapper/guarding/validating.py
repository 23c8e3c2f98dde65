"""Tests a model the way a swap would before it touches anything, and remembers the answer."""

import asyncio
from collections.abc import Callable, Sequence

from spark_common.clock import Clock
from spark_common.contracts.models import LastTest
from spark_common.contracts.plans import ValidateModel, Validation
from spark_common.contracts.recipes import Knobs
from spark_common.errors import ModelNotReadyError, UnavailableError
from spark_swapper import causes
from spark_swapper.checks.preflighting import Preflighting
from spark_swapper.guarding.checks import Check, CheckName, Findings
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import Shelf

Unsaved = Callable[[Candidate, Knobs | None, Sequence[str] | None], Candidate]
"""Applies knobs and flags that are not saved; what is None stays. Raises InvalidRequestError."""

NOTE = (
    "A passed test means that vLLM accepts the arguments and that nothing known speaks against "
    "the launch. Only a real load shows whether it works."
)


class Validating:
    """One test per model at a time; the same question asked meanwhile gets the same answer."""

    def __init__(
        self,
        shelf: Shelf,
        preflighting: Preflighting,
        quarantining: Quarantining,
        clock: Clock,
        unsaved: Unsaved,
    ) -> None:
        self._shelf = shelf
        self._preflighting = preflighting
        self._quarantining = quarantining
        self._clock = clock
        self._unsaved = unsaved
        self._running: dict[str, asyncio.Task[Validation]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def validate(self, request: ValidateModel) -> Validation:
        """Test a model; refuses nothing while a swap runs.

        Raises UnknownModelError, and InvalidRequestError for flags that cannot be read.
        """
        question = request.model_dump_json()
        running = self._running.get(question)
        if running is None:
            running = asyncio.create_task(self._test(request))
            self._running[question] = running
            running.add_done_callback(lambda _: self._running.pop(question, None))
        # Whoever asked first may leave; the others still want the answer.
        return await asyncio.shield(running)

    async def _test(self, request: ValidateModel) -> Validation:
        began = self._clock.monotonic()
        try:
            candidate = await self._shelf.find(request.model)
        except (ModelNotReadyError, UnavailableError) as error:
            cause = causes.refused(error)
            name: CheckName = "files" if isinstance(error, ModelNotReadyError) else "hosts"
            check = Check(name, "bad", cause.sentence, None, cause)
            return self._answer(Findings((check,)), None, "", began)
        asked = self._unsaved(candidate, request.knobs, request.flags)
        async with self._turns.setdefault(candidate.key, asyncio.Lock()):
            found = await self._preflighting.look(asked, deep=request.deep)
            line = await self._preflighting.launch_line(asked)
        answer = self._answer(found, asked, line, began)
        if asked == candidate:
            await self._remember(candidate.key, answer)
        return answer

    def _answer(
        self, found: Findings, asked: Candidate | None, line: str, began: float
    ) -> Validation:
        stage = found.stage()
        bad = found.verdict == "bad"
        return Validation(
            ok=not bad,
            verdict=found.verdict,
            stage=stage.name if stage is not None else None,
            error=stage.sentence if stage is not None else None,
            cmd_args=list(asked.vllm_argv) if asked is not None else [],
            launch_cmd=line,
            checks=[check.result() for check in found.checks],
            cause=found.causes[0] if found.causes else None,
            note="" if bad else NOTE,
            seconds=round(self._clock.monotonic() - began, 3),
        )

    async def _remember(self, key: str, answer: Validation) -> None:
        sentence = answer.error or "Nothing speaks against starting it."
        test = LastTest(
            kind="test", verdict=answer.verdict, sentence=sentence, at=self._clock.now()
        )
        await self._quarantining.keep_test(key, test)
