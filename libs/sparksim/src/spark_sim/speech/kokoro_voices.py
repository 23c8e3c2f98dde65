"""The voices of Kokoro: names, the aliases of OpenAI it knows, mixtures, and who sounds how."""

import re

from spark_sim.speakclock.bands import BANDS

MODELS = ("tts-1", "tts-1-hd", "kokoro", "gpt-4o-mini-tts")
VOICES = tuple(
    sorted(
        [
            "af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole",
            "af_nova", "af_river", "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric",
            "am_fenrir", "am_liam", "am_michael", "am_onyx", "am_puck", "am_santa", "bf_alice",
            "bf_emma", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george", "bm_lewis",
            "ef_dora", "em_alex", "em_santa", "ff_siwis", "hf_alpha", "hf_beta", "hm_omega",
            "hm_psi", "if_sara", "im_nicola", "jf_alpha", "jf_gongitsune", "jf_nezumi",
            "jf_tebukuro", "jm_kumo", "pf_dora", "pm_alex", "pm_santa", "zf_xiaobei", "zf_xiaoni",
            "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang",
        ]
    )
)  # fmt: skip
ALIASES = {
    "alloy": "af_alloy", "ash": "am_adam", "coral": "bf_emma", "echo": "am_echo",
    "fable": "bm_fable", "onyx": "am_onyx", "nova": "af_nova", "sage": "am_michael",
    "shimmer": "af_sky",
}  # fmt: skip
"""Of OpenAI's thirteen; ballad, verse, marin and cedar it does not know."""
_PART = re.compile(r"^([^()]+)(?:\((\d+(?:\.\d+)?)\))?$")


def band_of(voice: str) -> int:
    """Return the band in which a voice, an alias or a mixture speaks: that of its strongest part.

    Raises ValueError with Kokoro's words.
    """
    voice = voice.replace(" ", "")
    if not voice or voice[0] in "+-" or voice[-1] in "+-" or re.search(r"[+-]{2}", voice):
        raise ValueError("Voice combination contains empty combine items")
    best, weight = 0, -1.0
    for part in re.split(r"[+-]", voice):
        found = _PART.match(part)
        if found is None:
            raise ValueError(f"Voice '{part}' contains too many weight items")
        name = ALIASES.get(found[1], found[1])
        if name not in VOICES:
            known = ", ".join(VOICES)
            raise ValueError(f"Voice '{name}' not found. Available voices: {known}")
        if float(found[2] or 1) > weight:
            best, weight = VOICES.index(name), float(found[2] or 1)
    return best % BANDS
