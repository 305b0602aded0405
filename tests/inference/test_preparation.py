from classifiers.inference.preparation import in_short, preparation


def test_a_picture_in_colour_that_is_not_square() -> None:
    told = preparation((3, 20, 30))
    assert (told["mode"], told["channels"]) == ("RGB", ["red", "green", "blue"])
    assert (told["width"], told["height"]) == (30, 20)
    assert told["jpeg_draft"] == {"least_width": 120, "least_height": 80}
    assert "RGB in sRGB, resized to 30 × 20 (" in in_short((3, 20, 30))
