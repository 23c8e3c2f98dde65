"""What the hub's program says, read: sizes, causes, lines without bars and tokens."""

import pytest

from spark_swapper.downloads.hub_words import LogLines, Missing, cause_of, plain_lines, read_dry_run

REPO = "meta-llama/Llama-3.3-70B-Instruct"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("[dry-run] Will download 21 files (out of 22) totalling 179.4G.", (179_400_000_000, 21)),
        ("[dry-run] Will download 1 files (out of 1) totalling 655.2M\n", (655_200_000, 1)),
        ("[dry-run] Will download 1 file (out of 9) totalling 1.8K.\nfile size", (1_800, 1)),
        ("x\n[dry-run] Will download 0 files (out of 26) totalling 0.0.\nFILE", (0, 0)),
        ("[dry-run] Will download 3 files (out of 3) totalling 1.2T.\n", (1_200_000_000_000, 3)),
        ("[dry-run] Fetching 26 files: 100%|###| 26/26", None),
        ("[dry-run] Will download many files", None),
        ("", None),
    ],
)
def test_a_dry_run_is_read(text, missing):
    assert read_dry_run(text) == (Missing(*missing) if missing else None)


@pytest.mark.parametrize(
    ("text", "exit_code", "code"),
    [
        ("GatedRepoError: 401 Client Error.\nCannot access gated repo", 1, "gated"),
        ("GatedRepoError: 403 Client Error.\nAccess to model X is restricted and you are not in "
         "the authorized list.", 1, "gated_no_access"),
        ("Your request to access model X is awaiting a review from the authors", 1,
         "gated_no_access"),
        ("RepositoryNotFoundError: 404 Client Error.\nRepository Not Found for url", 1,
         "no_such_repository"),
        ("RepositoryNotFoundError: 401 Client Error. Invalid username or password.", 1,
         "no_such_repository"),
        ("huggingface_hub.errors.HFValidationError: Cannot have -- or .. in repo_id: 'a--b/c'.", 1,
         "no_such_repository"),
        ("RepositoryNotFoundError: 401\nInvalid credentials in Authorization header", 1,
         "wrong_token"),
        ("Client error '401 Unauthorized' for url", 1, "wrong_token"),
        ("OSError: [Errno 28] No space left on device: '/x'", 1, "disk_full"),
        ("RuntimeError: Data processing error: File reconstruction error: IO Error: "
         "No space left on device (os error 28)", 1, "disk_full"),
        ("requests.exceptions.ConnectionError: HTTPSConnectionPool: Max retries exceeded", 1,
         "no_network"),
        ("httpx.ConnectError: [Errno -3] Temporary failure in name resolution", 1, "no_network"),
        ("HfHubHTTPError: 429 Client Error: Too Many Requests", 1, "rate_limited"),
        ("HfHubHTTPError: 503 Server Error: Service Unavailable", 1, "no_network"),
        ("PermissionError: [Errno 13] Permission denied: '/x/blobs'", 1, "not_writable"),
        ("neither uvx nor hf is installed", 127, "no_program"),
        ("Killed", 137, "fetch_failed"),
        ("", None, "fetch_failed"),
    ],
)  # fmt: skip
def test_a_failure_has_a_cause_with_a_sentence_and_an_action(text, exit_code, code):
    cause = cause_of(text, REPO, "Spark 1", exit_code)
    assert cause.code == code
    assert cause.sentence.endswith(".")
    assert cause.action.endswith((".", "kept."))
    assert "{" not in cause.sentence + cause.action


def test_the_decisive_line_is_shown_and_progress_bars_are_not():
    text = "Fetching 5 files:  40%|####      | 2/5\rTraceback:\nGatedRepoError: 401 Client Error\n"
    cause = cause_of(text, REPO, "Spark 1", 1)
    assert cause.evidence == ["GatedRepoError: 401 Client Error"]
    unknown = cause_of("Fetching:  40%|####  | 2/5\rsomething odd\n", REPO, "Spark 1", 3)
    assert unknown.evidence == ["something odd"]


def test_a_token_in_a_log_is_never_repeated():
    (line,) = plain_lines(b"using token hf_AbCdEfGhIjKlMnOp now")
    assert line == "using token hf_*** now"


def test_lines_are_cut_wherever_a_piece_ends():
    text = b"first\nFetching 2 files:  50%|#####     | 1/2\rsecond\r\nthird \xe2\x9c\x93\nrest"
    for size in range(1, len(text)):
        lines = LogLines()
        said = []
        for start in range(0, len(text), size):
            said += lines.feed(text[start : start + size])
        assert said == ["first", "second", "third ✓"]
