"""12.3 · Predict: when does it pay?"""

from course_exercises.judge import Exercise

PAYS = "12_compiled_tape#A compiled step is a step"

ex = Exercise(
    "12.3",
    "When does it pay?",
    outputs=("as it is", "without products"),
    otherwise={
        "as it is": "How much does one step gain? The cost of the plan is paid back in "
        "portions of this size.",
        "without products": "What is left of either step without its products, and how "
        "far are the two apart then?",
    },
    hints=(
        "Where do two straight lines cross, of which one begins at 0 and the other at "
        "3 s?",
        "The gain of a step is the difference of the two times. Does it change if the "
        "same 2.5 ms are taken from both?",
        "3 s / 2 ms. And the second: (5 − 2.5) − (3 − 2.5) ms.",
    ),
    explanation=(
        "A step gains 2 ms, so 3 s are paid back after 1500 steps. Faster products "
        "make both steps shorter by the same amount: the difference stays, and so does "
        "the number. What has changed is the *ratio*: 5/3 before, 5 afterwards."
    ),
)


@ex.answer
def steps_to_pay():
    cost, interpreted, compiled, products = 3.0, 5e-3, 3e-3, 2.5e-3
    rest = (interpreted - products) - (compiled - products)
    return round(cost / (interpreted - compiled)), round(cost / rest)


NOW, WITHOUT = ex.outputs

ex.guess("of-the-interpreted", {NOW: 600}, PAYS).says("""
    3 s are so many interpreted steps. In that time the compiled one has not begun: what
    pays back is the *difference* of the two.
""")
ex.guess("of-the-compiled", {NOW: 1000}, PAYS).says("""
    3 s are so many compiled steps. What pays the cost back is the *difference* of the
    two times.
""")
ex.guess("seconds-for-milliseconds", {NOW: 1.5}, PAYS).says("""
    Seconds are divided by milliseconds. 3 s are 3000 ms.
""")
ex.guess("ratio-for-gain", {NOW: 1800, WITHOUT: 600}, PAYS).says("""
    The cost is divided by a time that comes from a ratio. Two lines cross where their
    distance has become zero: the difference of the two times counts.
""")
ex.guess("sum-for-difference", {NOW: 375}, PAYS).says("""
    3 s are divided by the *sum* of the two times. A step gains their difference.
""")
for output in ex.outputs:
    ex.guess(f"one-more, {output}", {output: 1501}, PAYS).says("""
        After 1500 steps both have taken the same time: the cost is paid back. That is
        the number asked for.
    """)
ex.guess("of-the-compiled-again", {WITHOUT: 1000}, PAYS).says("""
    3 s are so many compiled steps *with* their products. What pays back is the
    difference of the two times, and without products both are shorter.
""")
ex.guess("products-counted-once", {WITHOUT: 6000}, PAYS).says("""
    The 2.5 ms are taken off the compiled step alone, or added to the gain: they are in
    *both* steps.
""")
ex.guess("gain-of-the-rest", {WITHOUT: 1200}, PAYS).says("""
    3 s are divided by the 2.5 ms that an interpreted step takes without its products.
    The compiled one still takes half a millisecond.
""")
ex.guess("five-times-sooner", {WITHOUT: 300}, PAYS).says("""
    The ratio of the two steps has become larger, but the crossing depends on their
    difference. Has that changed?
""")
ex.guess("never", {WITHOUT: 0}, PAYS).says("""
    Something is still left of both steps, and the compiled one is still shorter.
""")
