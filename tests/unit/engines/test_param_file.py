"""What the text of a ``.param`` file says of its model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.engines.param_file import UnsuitableModelError, read_graph

LAYERS = {"Interp": "0=1 1={0}.0 2={0}.0", "PixelShuffle": "0={0}", "Deconvolution": "0=3 1=4 2=1 3={0}"}
TWICE = ("Interp", "0=1 1=2.0 2=2.0")


def param(*layers: str) -> str:
    """A model's description: the input, then `layers`."""
    return "\n".join(["7767517", f"{len(layers) + 1} 9", "Input in 0 1 data", *layers, ""])


def chain(*layers: tuple[str, str]) -> str:
    """A model of layers one behind the other, each a kind and its options."""
    blobs = ["data", *(f"b{index}" for index in range(1, len(layers))), "output"]
    return param(
        *(
            f"{kind} layer{index} 1 1 {blobs[index]} {blobs[index + 1]} {options}"
            for index, (kind, options) in enumerate(layers)
        )
    )


def convolution(inputs: int, outputs: int, *, stride: int = 1) -> tuple[str, str]:
    return "Convolution", f"0={outputs} 1=3 3={stride} 4=1 6={inputs * outputs * 9}"


@given(st.lists(st.tuples(st.sampled_from(sorted(LAYERS)), st.integers(1, 4)), min_size=1, max_size=2))
def test_the_scales_of_layers_are_multiplied(layers: list[tuple[str, int]]) -> None:
    expected, text = 1, []
    for kind, scale in layers:
        expected *= scale
        # What PixelShuffle takes apart has to be there.
        text += [convolution(3, 3 * scale**2)] if kind == "PixelShuffle" else []
        text.append((kind, LAYERS[kind].format(scale)))
    graph = read_graph(chain(*text))
    assert (graph.scale, graph.align_px) == (expected, 1)


def test_a_convolution_with_a_stride_makes_it_smaller() -> None:
    shuffle = ("PixelShuffle", "0=4")
    strided = read_graph(chain(convolution(3, 48, stride=2), shuffle))
    assert (strided.scale, strided.align_px) == (2, 2)
    assert read_graph(chain(convolution(3, 48), shuffle)).scale == 4
    unshuffled = read_graph(chain(("Reorg", "0=2"), convolution(12, 3), ("Interp", "1=4.0 2=4.0")))
    assert (unshuffled.scale, unshuffled.align_px) == (2, 2)
    pooled = read_graph(chain(("Pooling", "0=0 1=2 2=2"), convolution(3, 48), shuffle))
    assert (pooled.scale, pooled.align_px) == (2, 2)


def test_two_ways_to_the_output() -> None:
    # As in animevideov3: the picture itself, enlarged, is added to what the model makes of it.
    text = param(
        "Split split 1 2 data a b",
        "Convolution conv 1 1 a c 0=12 1=3 4=1 6=324",
        "PixelShuffle shuffle 1 1 c d 0=2",
        "Interp nearest 1 1 b e 0=1 1=2.0 2=2.0",
        "BinaryOp add 2 1 d e output 0=0",
    )
    assert read_graph(text).scale == 2


def test_what_is_gathered_from_the_whole_picture_has_no_size() -> None:
    text = param(
        "Split split 1 2 data a b",
        "Pooling mean 1 1 a c 0=1 4=1",
        "BinaryOp times 2 1 b c d 0=2",
        "Interp up 1 1 d output 0=1 1=2.0 2=2.0",
    )
    assert (read_graph(text).scale, read_graph(text).align_px) == (2, 1)


@pytest.mark.parametrize(("first", "last"), [("data", "output"), ("in0", "out0"), ("input.1", "1234")])
def test_blobs_have_any_name(first: str, last: str) -> None:
    graph = read_graph(chain(convolution(3, 3), TWICE).replace("data", first).replace("output", last))
    assert (graph.input, graph.output, graph.layers) == (first, last, 3)


def test_of_several_blobs_the_usual_names_are_taken() -> None:
    text = param(
        "Input more 0 1 mask", "Split s 1 2 data a b", "Interp up 1 1 a output 1=2.0 2=2.0", "ReLU r 1 1 b c"
    )
    assert read_graph(text).output == "output"
    with pytest.raises(UnsuitableModelError, match=r"has 2 outputs \(out0, c\) instead of one"):
        read_graph(text.replace("output", "out0"))
    with pytest.raises(UnsuitableModelError, match=r"has 2 inputs \(in0, mask\) instead of one"):
        read_graph(text.replace("data", "in0"))


NO_MODELS = {
    "": "is not a .param file of ncnn in text form",
    "hello\n": "is not a .param file of ncnn in text form",
    "7767518\n" + chain(TWICE).partition("\n")[2]: "is not a .param file of ncnn in text form",
    "7767517": "has no input",
    "7767517\n1 1\nInput in 0 1 data\n": "has no output",
    "7767517\n1 1\nInput in": "is damaged: its layers make no sense",
    "7767517\n1 1\nInput in 0 -1 data": "is damaged: a line ends early",
    "7767517\n1 1\nInput in 0 2 data": "is damaged: a line ends early",
    chain(("Interp", "0=1 1=1.5 2=1.5")): "makes pictures 1.5 times as large, which is not a whole scale",
    chain(("Interp", "0=1 1=0.5 2=0.5")): "makes pictures 0.5 times as large, which is not a whole scale",
    chain(("Interp", "0=1 1=many 2=many")): "is damaged: its layers make no sense",
    chain(("Interp", "0=1 1=9e9 2=9e9")): "makes pictures 9000000000 times as large, and 16 is the most",
    chain(convolution(3, 3, stride=2)): "makes pictures 0.5 times as large, which is not a whole scale",
    chain(("Convolution", "0=3 1=3 3=0")): "is damaged: its layers make no sense",
    chain(convolution(1, 3)): "takes 1 colour channels instead of red, green and blue",
    chain(convolution(3, 1)): "gives 1 colour channels instead of red, green and blue",
    chain(convolution(3, 8), convolution(9, 3)): "is damaged: a layer takes 9 channels and gets 8",
    chain(("Reorg", "0=65"), ("Interp", "1=65 2=65")): "gives 12675 colour channels",
    param("MemoryData m 0 1 output 0=3"): "gives 'output', which does not depend on the picture",
}


@pytest.mark.parametrize("text", NO_MODELS, ids=[str(number) for number in range(len(NO_MODELS))])
def test_what_is_no_model_is_told_why(text: str) -> None:
    with pytest.raises(UnsuitableModelError) as caught:
        read_graph(text)
    assert NO_MODELS[text] in str(caught.value)


@given(st.text(alphabet="7651 =-\nInputdaSplCov.e", max_size=200))
def test_any_text_is_a_model_or_is_refused(text: str) -> None:
    for whole in (text, "7767517\n1 1\n" + text):
        try:
            assert 1 <= read_graph(whole).scale <= 16
        except UnsuitableModelError as error:
            assert str(error)


def test_line_breaks_of_windows() -> None:
    assert read_graph(chain(TWICE).replace("\n", "\r\n")).scale == 2


SHUFFLE = ("PixelShuffle", "0=4")
HALOS = {
    "one": (chain(TWICE), 0),
    "two convolutions": (chain(convolution(3, 3), convolution(3, 3)), 2),
    "dilated": (chain(("Convolution", "0=3 1=5 2=3 4=6 6=225")), 6),
    "behind a stride": (chain(convolution(3, 12, stride=2), convolution(12, 48), SHUFFLE), 3),
    "behind an unshuffle": (chain(("Reorg", "0=2"), convolution(12, 48), SHUFFLE), 3),
    "enlarged first": (chain(TWICE, convolution(3, 3), convolution(3, 3), convolution(3, 3)), 2),
    "bilinear": (chain(("Interp", "0=2 1=2.0 2=2.0")), 1),
    "very deep": (chain(*[convolution(3, 3)] * 90), 32),
    "of an unknown kind": (chain(("Attention", ""), TWICE), 32),
    "the whole picture": (
        param("Split s 1 2 data a b", "Pooling p 1 1 a c 0=1 4=1", "BinaryOp t 2 1 b c output 0=2"),
        32,
    ),
}


@pytest.mark.parametrize("name", HALOS)
def test_how_far_a_model_looks_follows_from_its_layers(name: str) -> None:
    text, halo_px = HALOS[name]
    assert read_graph(text).halo_px == halo_px
