"""The Hugging Face hub as the simulated Sparks see it: what it offers, to whom, in which words."""

from collections.abc import Iterable

from spark_sim.catalogue import GB, SimModel

READER = "sim-reader"
"""A token whose owner may read everything."""
STRANGER = "sim-stranger"
"""A good token whose owner has not been let in anywhere."""
BYTES_PER_SECOND = 110e6
_SITE = "https://huggingface.co"
_REQUEST = "(Request ID: Root=1-66f0a3c1-1c1b5d7e2f)"


def _offer(
    repo: str, gigabytes: float, architecture: str, model_type: str, context_length: int,
    *, shards: int, load_seconds: float, quantization: dict[str, object] | None = None,
) -> SimModel:  # fmt: skip
    return SimModel(
        repo, int(gigabytes * GB), (), architecture, model_type, context_length, shards,
        load_seconds, quantization=quantization or {},
    )  # fmt: skip


OFFERED: tuple[SimModel, ...] = (
    _offer(
        "Qwen/Qwen3-4B-Instruct-2507", 8.06, "Qwen3ForCausalLM", "qwen3", 262_144,
        shards=3, load_seconds=14,
    ),
    _offer(
        "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", 31.2, "Qwen3MoeForCausalLM", "qwen3_moe", 262_144,
        shards=4, load_seconds=45, quantization={"quant_method": "fp8"},
    ),
    _offer(
        "meta-llama/Llama-3.3-70B-Instruct", 141.1, "LlamaForCausalLM", "llama", 131_072,
        shards=30, load_seconds=230,
    ),
    _offer(
        "google/gemma-3-1b-it", 2.0, "Gemma3ForCausalLM", "gemma3_text", 32_768,
        shards=1, load_seconds=6,
    ),
)  # fmt: skip
"""What is on the hub and, to begin with, on no disk."""
GATED = frozenset({"meta-llama/Llama-3.3-70B-Instruct", "google/gemma-3-1b-it"})


class HubError(Exception):
    """What a program prints when the hub says no."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Hub:
    """The repositories one can ask for."""

    def __init__(self, on_disks: Iterable[SimModel]) -> None:
        self._repos = {model.repo: model for model in (*OFFERED, *on_disks)}

    def model(self, repo: str) -> SimModel | None:
        """Return what a repository holds, without asking who wants to know."""
        return self._repos.get(repo)

    def open(self, repo: str, token: str | None) -> SimModel:
        """Return the repository for whoever has this token. Raises HubError."""
        model = self._repos.get(repo)
        if token not in (None, READER, STRANGER):
            raise HubError(_unknown_token(repo))
        if model is None:
            raise HubError(_missing(repo, 404 if token else 401))
        if repo in GATED and token != READER:
            raise HubError(_gated(repo, 403 if token else 401))
        return model


def no_network(repo: str) -> str:
    """Return what is printed where the hub cannot be reached."""
    return (
        "httpx.ConnectError: [Errno -3] Temporary failure in name resolution\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        "huggingface_hub.errors.LocalEntryNotFoundError: An error happened while trying to locate "
        f"the files on the Hub and we cannot find the appropriate snapshot folder for {repo} on "
        "the local disk. Please check your internet connection and try again.\n"
    )


def _unknown_token(repo: str) -> str:
    return (
        f"huggingface_hub.errors.HfHubHTTPError: Client error '401 Unauthorized' for url "
        f"'{_SITE}/api/models/{repo}/revision/main' {_REQUEST}\nInvalid credentials in "
        "Authorization header\n"
    )


def _missing(repo: str, status: int) -> str:
    hint = "\nInvalid username or password." if status == 401 else ""
    return (
        f"huggingface_hub.errors.RepositoryNotFoundError: {status} Client Error. {_REQUEST}\n\n"
        f"Repository Not Found for url: {_SITE}/api/models/{repo}/revision/main.\n"
        "Please make sure you specified the correct `repo_id` and `repo_type`.\n"
        "If you are trying to access a private or gated repo, make sure you are authenticated. "
        f"For more details, see {_SITE}/docs/huggingface_hub/authentication{hint}\n"
    )


def _gated(repo: str, status: int) -> str:
    why = (
        f"Access to model {repo} is restricted and you are not in the authorized list. "
        f"Visit {_SITE}/{repo} to ask for access."
        if status == 403
        else f"Access to model {repo} is restricted. You must have access to it and be "
        "authenticated to access it. Please log in."
    )
    return (
        f"huggingface_hub.errors.GatedRepoError: {status} Client Error. {_REQUEST}\n\n"
        f"Cannot access gated repo for url {_SITE}/{repo}/resolve/main/config.json.\n{why}\n"
    )
