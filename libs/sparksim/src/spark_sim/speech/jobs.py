"""What is asked of the models of the speech server, and what goes wrong with it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_sim.faults import Behaviour, Faults
from spark_sim.pace import Pace
from spark_sim.speech.forms import Form
from spark_sim.speech.process import Process
from spark_sim.speech.records import Note, Records, Upload
from spark_sim.speech.switches import DiarizerRoutes, OtherSound, SpeechSwitches, WordTimes
from spark_sim.vllm_http.exchange import ClientGoneError

if TYPE_CHECKING:
    from spark_sim.speech.hearing import Heard

TRANSCRIBE = "/v1/audio/transcriptions"
DIARIZE = {
    DiarizerRoutes.PATCHED: ("/v1/audio/diarize", "/v1/audio/diarize-chunk"),
    DiarizerRoutes.PUBLIC: ("/v1/audio/diarizations",),
    DiarizerRoutes.NONE: (),
}
CUDA = (
    "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be "
    "asynchronously reported at some other API call, so the stacktrace below might be incorrect."
)
_OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 21.97 GiB. GPU 0 has a total capacity of 119.70 GiB"
)
_SPEED = 15.0
"""Times real time, as the README of the image says."""
_DIARIZE_SPEED = 60.0
_OWN_DIARIZE_SECONDS = 600.0
"""What our own files take at most."""
_LOSSLESS = ("flac", "pcm_s16le")


@dataclass(frozen=True)
class Answer:
    """Status and JSON; ``plain`` is sent as it is."""

    status: int
    payload: object
    plain: bool = False


class RefusalError(Exception):
    """An answer that is an error; ``code`` is for those of our own files."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def answer(self, *, own: bool) -> Answer:
        """Return it as the image or as our own files say it."""
        if not own:
            return Answer(self.status, {"detail": self.message})
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return Answer(self.status, {"error": error})


class Models:
    """Both models of one container, on sound that came."""

    def __init__(
        self, faults: Callable[[], Faults], switches: SpeechSwitches, records: Records,
        pace: Pace, note: Note, write_log: Callable[[str], None], die: Callable[[], None],
    ) -> None:  # fmt: skip
        self._faults = faults
        self._switches = switches
        self._records = records
        self._pace = pace
        self._note = note
        self._write_log = write_log
        self._die = die

    async def answer(self, process: Process, path: str, form: Form | None, size: int) -> Answer:
        """Do a job. ``size`` is that of the body."""
        try:
            return await self._answer(process, path, form, size)
        except RefusalError as refusal:
            if refusal.status >= 500:
                self._write_log(f"ERROR:app.main:{refusal.message}\n")
            return refusal.answer(own=process.overlay is not None)

    async def _answer(self, process: Process, path: str, form: Form | None, size: int) -> Answer:
        if process.status != "ready":
            raise RefusalError(503, "loading", "Model is still loading")
        if size > self._switches.max_upload_mb * 1024 * 1024:
            limit = f"{self._switches.max_upload_mb:g}MB"
            raise RefusalError(413, "file_too_large", f"File too large. Maximum: {limit}")
        if form is None or not form.values.get("file"):
            raise RefusalError(400, "missing_file", "No file")
        crowded = process.computing > 0
        process.computing += 1
        try:
            began = time.monotonic()
            heard = await self._heard(process, path, form.values["file"])
            what = "Transcription" if path == TRANSCRIBE else "Diarization"
            self._fail_for(process, heard, what)
            if path == TRANSCRIBE:
                await self._compute(process, heard.seconds / _SPEED, began)
                return self._transcript(process, heard, form)
            if crowded and self._switches.race:
                broken = "Diarization failed: cuFFT error: CUFFT_INTERNAL_ERROR"
                raise RefusalError(503, "inference_failed", broken)
            return await self._diarization(process, path, heard, form, began)
        finally:
            process.computing -= 1

    async def _heard(self, process: Process, path: str, data: bytes) -> "Heard":
        """Return what is in a file, and take up that it came. Raises RefusalError for junk."""
        try:
            heard = await asyncio.to_thread(_listen, data)
        except (OSError, ValueError) as error:
            self._records.take(
                Upload(path, len(data), None, None, None, None, None, None, process.wedged)
            )
            raise RefusalError(
                500, "invalid_audio", "Transcription failed: ffmpeg error"
            ) from error
        upload = Upload(
            path, len(data), heard.codec, heard.container, heard.rate, heard.channels,
            round(heard.seconds, 3), heard.sha256, process.wedged,
        )  # fmt: skip
        self._records.take(upload)
        self._note(
            "sound_came", path=path, bytes=upload.bytes, codec=upload.codec, rate=upload.rate,
            channels=upload.channels, seconds=upload.seconds,
        )  # fmt: skip
        return heard

    def _fail_for(self, process: Process, heard: "Heard", what: str) -> None:
        """Raise RefusalError where the GPU is broken or breaks now, or something else fails."""
        behaviour, switches = self._faults().behaviour, self._switches
        strange = heard.codec not in _LOSSLESS
        if strange and switches.other_sound == OtherSound.REFUSED:
            raise RefusalError(500, "invalid_audio", f"{what} failed: ffmpeg error")
        if switches.dies_next:
            switches.dies_next = False
            self._note("speech_died")
            process.over.set()
            self._die()
            raise ClientGoneError
        breaks = (
            behaviour is Behaviour.SPEECH_WEDGE
            or switches.wedge_next
            or heard.sha256 in switches.poison_hashes
            or any(word.text in switches.poison_words for word in heard.words)
            or (strange and switches.other_sound == OtherSound.WEDGES)
        )
        if breaks and not process.wedged:
            process.wedged, switches.wedge_next = True, False
            self._note("speech_wedged")
        if process.wedged:
            raise RefusalError(500, "cuda_failure", f"{what} failed: {CUDA}")
        if behaviour is Behaviour.SPEECH_ERRORS or switches.error_next > 0:
            switches.error_next = max(0, switches.error_next - 1)
            raise RefusalError(500, "inference_failed", f"{what} failed: list index out of range")

    async def _compute(self, process: Process, seconds: float, began: float) -> None:
        """Take so many of the Spark's seconds since ``began``, hearing included."""
        left = self._pace.real(seconds) - (time.monotonic() - began)
        await process.unless_over(max(0.0, left))

    def _transcript(self, process: Process, heard: "Heard", form: Form) -> Answer:
        from spark_sim.speech.transcripts import rendered

        switches, own = self._switches, process.overlay is not None
        # Our own files look for a quiet moment and cut there.
        cut = float("inf") if own else switches.max_segment_seconds
        words = heard.transcript(loses_weaker=switches.loses_weaker, cut_seconds=cut)
        wanted = form.text("response_format", "json")
        said = rendered(
            words, heard.seconds, wanted, form.text("language", "auto"),
            WordTimes.WORDS if own else switches.word_times,
            leading_spaces=switches.leading_spaces and not own,
        )  # fmt: skip
        self._note("transcribed", seconds=round(heard.seconds, 2), words=len(words))
        if not own:
            # The image says in its log what it heard.
            text = " ".join(word.text for word in words)
            self._write_log(f"INFO:app.transcriber:Recognized Text: {text}\n")
        # The image renders text as JSON too, quotes and all.
        return Answer(200, said, plain=own and isinstance(said, str))

    async def _diarization(
        self, process: Process, path: str, heard: "Heard", form: Form, began: float
    ) -> Answer:
        from spark_sim.speech.diarizing import as_json, as_public_json, diarize

        switches, own = self._switches, process.overlay is not None
        if own and heard.seconds > _OWN_DIARIZE_SECONDS:
            longest = f"The recording is longer than {_OWN_DIARIZE_SECONDS:g} s."
            raise RefusalError(413, "audio_too_long", longest)
        if heard.seconds > switches.diarize_oom_seconds:
            raise RefusalError(500, "gpu_out_of_memory", f"Diarization failed: {_OUT_OF_MEMORY}")
        found = await asyncio.to_thread(diarize, heard)
        await self._compute(process, heard.seconds / _DIARIZE_SPEED, began)
        self._note(
            "diarized", seconds=round(heard.seconds, 2), speakers=len({t.slot for t in found.turns})
        )
        if path in DIARIZE[DiarizerRoutes.PUBLIC]:
            names = [name.strip() for name in form.text("speaker_names", "Arzt,Patient").split(",")]
            return Answer(200, as_public_json(found, heard, [name for name in names if name]))
        said = as_json(
            found, heard, confidences=switches.confidences, shuffled=switches.shuffled,
            frames=form.says("frames"),
        )  # fmt: skip
        if own:
            said["segments"].sort(key=lambda row: (row["start_s"], row["end_s"]))
        return Answer(200, said)


def _listen(data: bytes) -> "Heard":
    from spark_sim.speech.hearing import listen

    return listen(data)
