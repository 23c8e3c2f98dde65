"""The real path through PyTorch on the CPU, with random models of two layers."""

from pathlib import Path

import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed here; make test-torch brings it"
)
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed here; see make test-torch"
)

from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402

from spark_embed.bge import BgeEncoder, BgeRanker, load_models  # noqa: E402
from spark_embed.settings import Settings  # noqa: E402

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "paris", "is", "in", "france", "cats", "purr", "a"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An encoder and a ranker as they lie in their repositories."""
    torch.manual_seed(7)
    made = tmp_path_factory.mktemp("models")
    config = transformers.XLMRobertaConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=34, pad_token_id=1, num_labels=1,
        type_vocab_size=1,
    )  # fmt: skip
    encoder, ranker = made / "encoder", made / "ranker"
    transformers.XLMRobertaModel(config).save_pretrained(encoder)
    transformers.XLMRobertaForSequenceClassification(config).save_pretrained(ranker)
    layer = torch.nn.Linear(32, 1)
    torch.nn.init.constant_(layer.bias, 0.5)
    torch.save(layer.state_dict(), encoder / "sparse_linear.pt")
    for place in (encoder, ranker):
        _tokenizer().save_pretrained(place)
    return encoder, ranker


def _tokenizer():
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>", cls_token="<s>", sep_token="</s>", model_max_length=32,
    )  # fmt: skip


def test_padding_and_company_change_no_vector(folders):
    encoder = BgeEncoder(str(folders[0]), CPU, 8192)
    assert (encoder.dimensions, encoder.max_tokens) == (32, 32)
    inputs = encoder.tokenize(["paris is in france", "cats", "cats purr a a a a a a"])
    together = encoder.run(inputs)
    for tokens, one in zip(inputs, together, strict=True):
        (alone,) = encoder.run([tokens])
        assert list(one.dense) == pytest.approx(list(alone.dense), abs=1e-5)
        assert one.sparse.keys() == alone.sparse.keys()
        assert list(one.sparse.values()) == pytest.approx(list(alone.sparse.values()), abs=1e-5)
        assert sum(value**2 for value in one.dense) == pytest.approx(1, abs=1e-5)


def test_weights_are_the_largest_of_each_piece_and_none_of_marks(folders):
    encoder = BgeEncoder(str(folders[0]), CPU, 8192)
    tokens = encoder.tokenize(["a paris a"])[0]
    (one,) = encoder.run([tokens])
    states = encoder._model(input_ids=torch.tensor([tokens])).last_hidden_state
    expected = torch.relu(encoder._weigh(states)).squeeze(-1)[0].tolist()
    both = max(expected[1], expected[3])
    wanted = {WORDS.index("a"): both, WORDS.index("paris"): expected[2]}
    assert dict(one.sparse) == pytest.approx({k: v for k, v in wanted.items() if v > 0}, abs=1e-5)


def test_the_vector_is_the_first_token_s_state(folders):
    encoder = BgeEncoder(str(folders[0]), CPU, 8192)
    tokens = encoder.tokenize(["paris is in france"])[0]
    state = encoder._model(input_ids=torch.tensor([tokens])).last_hidden_state[0, 0]
    (one,) = encoder.run([tokens])
    assert list(one.dense) == pytest.approx((state / state.norm()).tolist(), abs=1e-5)


def test_documents_are_read_beside_the_query_and_cut(folders):
    ranker = BgeRanker(str(folders[1]), CPU, 16)
    pairs = ranker.pair("paris", ["france", "a " * 100])
    assert pairs[0] == [0, 4, 2, 2, 7, 2]
    assert len(pairs[1]) == 16
    together = ranker.run(pairs)
    assert together == pytest.approx([ranker.run([one])[0] for one in pairs], abs=1e-5)
    assert all(0 < score < 1 for score in together)


def test_both_are_loaded_from_what_the_settings_name(folders):
    settings = Settings(embed_model=str(folders[0]), rerank_model=str(folders[1]))
    loaded = load_models(settings)
    assert loaded.encoder.name == str(folders[0])
    assert loaded.ranker is not None
    alone = load_models(Settings(embed_model=str(folders[0]), rerank_model=""))
    assert alone.ranker is None


def test_a_text_of_the_greatest_length_has_a_place(folders):
    encoder = BgeEncoder(str(folders[0]), CPU, 8192)
    tokens = encoder.tokenize(["a " * 200])[0]
    assert len(tokens) > encoder.max_tokens
    cut = encoder.cut(tokens, encoder.max_tokens)
    assert (len(cut), cut[-1]) == (32, tokens[-1])
    assert len(encoder.run([cut])) == 1
