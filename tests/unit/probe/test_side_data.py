"""What a decoder says beside a frame, and what not every PyAV can list."""

from vhsbatch.probe.side_data import side_data


class Frame:
    """A frame of which a kind is unknown, or one with these."""

    def __init__(self, known: dict[str, bytes] | None) -> None:
        self._known = known

    @property
    def side_data(self) -> dict[str, bytes]:
        if self._known is None:
            raise ValueError("31 is not a valid Type")
        return self._known


def test_one_kind_is_found_where_it_is() -> None:
    assert side_data(Frame({"A53_CC": b"cc"}), "A53_CC") == b"cc"
    assert side_data(Frame({}), "A53_CC") is None


def test_a_kind_that_pyav_does_not_know_is_no_reason_to_fail() -> None:
    assert side_data(Frame(None), "A53_CC") is None
