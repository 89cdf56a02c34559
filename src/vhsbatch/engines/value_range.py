"""Which numbers a model takes for black and white."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Which numbers a model takes for black and white, and gives.

    Attributes:
        black: the number for level 0.
        white: the number for level 255.
    """

    black: float = 0.0
    white: float = 1.0

    @property
    def levels(self) -> float:
        """How many levels the number 1 is."""
        return 255 / (self.white - self.black)

    def __str__(self) -> str:
        """In words.

        >>> str(ValueRange(-1, 1))
        '-1 to 1'
        """
        return f"{self.black:g} to {self.white:g}"


USUAL_RANGE = ValueRange()
