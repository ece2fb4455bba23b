"""Exercises of 03_tape_engine."""

import math

from course_utils.scalar import Value
from course_utils.tape import Tape

from .exercise import Exercise, Mistake

RULES = "03_tape_engine#The local rules"
ENGINE = "03_tape_engine#The engine"
ORDER = "03_tape_engine#Why the order of creation is the right order"
TWICE = "03_tape_engine#Calling backward twice"
WRONG = "03_tape_engine#Six ways to build it wrong"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
USED_ONCE = "each input is used once"
NUMBERS = "these are plain numbers, and nothing is broadcast"

# --- 03.1: the rule of the sine -------------------------------------------------------


def sin_vjp(grad_out, x):
    return grad_out * math.cos(x)


def sin_inputs(rng):
    points = (0.7, 1.3), (-1.2, 2.5), (2.5, -0.8), (0.3, 4.0), (1.1, -2.2)
    return [(g, x + rng.normal(scale=0.01)) for g, x in points]


def sin_by_shift(grad_out, x):
    return math.sin(x + math.pi / 2) * grad_out


def sin_by_complex_numbers(grad_out, x):
    turned = complex(math.cos(x), math.sin(x))
    return grad_out * turned.real


def sin_by_addition_formula(grad_out, x):
    half = x / 2
    return grad_out * (math.cos(half) ** 2 - math.sin(half) ** 2)


def sin_passed_on(grad_out, x):
    return grad_out


def sin_at_output(grad_out, x):
    return grad_out * math.cos(math.sin(x))


def sin_again(grad_out, x):
    return grad_out * math.sin(x)


def sin_from_output(grad_out, x):
    y = math.sin(x)
    return grad_out * math.sqrt(1 - y * y)


def sin_by_rule_of_tanh(grad_out, x):
    y = math.sin(x)
    return grad_out * (1 - y * y)


def sin_of_incoming(grad_out, x):
    return math.cos(grad_out * x)


def sin_divided(grad_out, x):
    return math.cos(x) / grad_out


def sin_in_degrees(grad_out, x):
    return grad_out * math.cos(math.radians(x))


def sin_times_input(grad_out, x):
    return grad_out * math.cos(x) * x


def sin_input_back(grad_out, x):
    return x


def sin_exchanged(grad_out, x):
    return math.cos(grad_out) * x


def sin_subtracted(grad_out, x):
    return math.cos(x) - grad_out


def sin_slope_of_slope(grad_out, x):
    return grad_out * math.cos(math.cos(x))


def sin_in_a_tuple(grad_out, x):
    return (grad_out * math.cos(x),)


def sin_sign_reversed(grad_out, x):
    return -grad_out * math.cos(x)


def sin_without_incoming(grad_out, x):
    return math.cos(x)


# --- 03.2: the length of a vector -----------------------------------------------------


def hypot_vjp(grad_out, r, a, b):
    return grad_out * a / r, grad_out * b / r


def hypot_inputs(rng):
    points = (0.7, 3.0, -4.0), (-1.2, 0.5, 2.5), (2.5, -1.5, -0.8), (0.3, 6.0, 2.0)
    points = (*points, (1.6, -0.9, 1.4))
    return [(g, math.hypot(a, b), a, b) for g, a, b in points]


def hypot_by_power(grad_out, r, a, b):
    from_root = grad_out * 0.5 * (a**2 + b**2) ** -0.5
    return from_root * 2 * a, from_root * 2 * b


def hypot_by_angle(grad_out, r, a, b):
    angle = math.atan2(b, a)
    return [grad_out * math.cos(angle), grad_out * math.sin(angle)]


def hypot_on_the_tape(grad_out, r, a, b):
    a, b = Value(a), Value(b)
    Tape((a**2 + b**2) ** 0.5).backward(grad_out)
    return a.grad, b.grad


def hypot_passed_on(grad_out, r, a, b):
    return grad_out, grad_out


def hypot_at_output(grad_out, r, a, b):
    return grad_out * r / math.hypot(r, b), grad_out * r / math.hypot(a, r)


def hypot_root_alone(grad_out, r, a, b):
    return grad_out / (2 * r), grad_out / (2 * r)


def hypot_squares_alone(grad_out, r, a, b):
    return grad_out * 2 * a, grad_out * 2 * b


def hypot_upside_down(grad_out, r, a, b):
    return grad_out * r / a, grad_out * r / b


def hypot_square_kept(grad_out, r, a, b):
    return grad_out * a**2 / r, grad_out * b**2 / r


def hypot_by_square(grad_out, r, a, b):
    return grad_out * a / r**2, grad_out * b / r**2


def hypot_by_sum(grad_out, r, a, b):
    return grad_out * a / (a + b), grad_out * b / (a + b)


def hypot_sign_lost(grad_out, r, a, b):
    return grad_out * abs(a) / r, grad_out * abs(b) / r


def hypot_by_product_rule(grad_out, r, a, b):
    return grad_out * b, grad_out * a


def hypot_by_output(grad_out, r, a, b):
    return grad_out * r, grad_out * r


def hypot_all_squared(grad_out, r, a, b):
    return grad_out * a**2 / r**2, grad_out * b**2 / r**2


def hypot_inputs_back(grad_out, r, a, b):
    return a, b


def hypot_divided(grad_out, r, a, b):
    return grad_out / a, grad_out / b


def hypot_half(grad_out, r, a, b):
    return grad_out * a / (2 * r), grad_out * b / (2 * r)


def hypot_without_incoming(grad_out, r, a, b):
    return a / r, b / r


# --- 03.3: each node only once --------------------------------------------------------


def forked(x):
    u = x.tanh()
    v = u * x
    return (u + v * u) * v.sigmoid()


# What the check shows, and what it runs: from the leaf to the output.
PROGRAMS = {
    "s = x + x; y = s + s": lambda x: (lambda s: s + s)(x + x),
    "a = 2 * x; y = a * 3 + a": lambda x: (lambda a: a * 3 + a)(2 * x),
    "a = 2 * x; y = a + a * 3": lambda x: (lambda a: a + a * 3)(2 * x),
    "y = x * x * x + x": lambda x: x * x * x + x,
    "u = x.tanh(); v = u * x; y = (u + v * u) * v.sigmoid()": forked,
}


def parts(node, grad):
    if node.op is None:
        return []
    data = [x.data for x in node.inputs]
    return zip(node.inputs, node.op.vjp(grad, node.data, *data), strict=True)


def two_calls(backward, program, x):
    leaf, slopes = Value(x), []
    y = PROGRAMS[program](leaf)
    for _ in range(2):
        backward(y)
        slopes.append(leaf.grad)
    return slopes


def program_inputs(rng):
    return [(program, 1.5 - 0.2 * k) for k, program in enumerate(PROGRAMS)]


def mended_backward(output):
    tape = Tape(output)
    for node in tape.nodes:
        node.grad = None
    output.grad = 1.0
    for node in reversed(tape.operations):  # complete: all later ones are done
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part


def cleared(output, value=None):
    for node in Tape(output).nodes:
        node.grad = value
    output.grad = 1.0


def backward_by_tape(output):
    Tape(output).backward()


def backward_along_paths(output):
    cleared(output, 0.0)
    waiting = [(output, 1.0)]
    while waiting:
        node, price = waiting.pop()
        for x, part in parts(node, price):
            x.grad += part
            waiting.append((x, part))


def backward_by_own_sort(output):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for x in node.inputs:
                visit(x)
            order.append(node)

    visit(output)
    for node in order:
        node.grad = 0
    output.grad = 1
    while order:
        node = order.pop()
        for x, part in parts(node, node.grad):
            x.grad += part


def backward_by_counting_uses(output):
    cleared(output, 0.0)
    uses = {}
    for node in Tape(output).nodes:
        for x in node.inputs:
            uses[x] = uses.get(x, 0) + 1
    ready = [output]
    while ready:
        node = ready.pop()
        for x, part in parts(node, node.grad):
            x.grad += part
            uses[x] -= 1
            if not uses[x]:
                ready.append(x)


def backward_as_shown(output):
    cleared(output)
    seen = set()

    def visit(node):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part
            if x not in seen:
                seen.add(x)
                visit(x)

    visit(output)


def backward_second_loop(output):
    cleared(output)
    seen = set()

    def visit(node):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                visit(x)

    visit(output)


def backward_breadth_first(output):
    cleared(output)
    seen, waiting = {output}, [output]
    while waiting:
        node = waiting.pop(0)
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part
            if x not in seen:
                seen.add(x)
                waiting.append(x)


def backward_every_time(output):
    cleared(output)

    def visit(node):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part
            visit(x)

    visit(output)


def backward_by_stack(output):
    cleared(output, 0.0)
    done, waiting = set(), [output]
    while waiting:
        node = waiting.pop()
        if node not in done:
            done.add(node)
            for x, part in parts(node, node.grad):
                x.grad += part
                waiting.append(x)


def backward_from_value(output):
    cleared(output, 0.0)
    output.grad = output.data
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad += part


def backward_subtracting(output):
    cleared(output, 0.0)
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad -= part


def backward_merging_edges(output):
    cleared(output, 0.0)
    for node in reversed(Tape(output).operations):
        for x, part in dict(parts(node, node.grad)).items():
            x.grad += part


def backward_first_only(output):
    cleared(output)
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad


def backward_without_incoming(output):
    cleared(output, 0.0)
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, 1.0):
            x.grad += part


def backward_from_ones(output):
    cleared(output, 1.0)
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad += part


def backward_assigning(output):
    cleared(output)
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad = part


def backward_forwards(output):
    cleared(output, 0.0)
    for node in Tape(output).operations:
        for x, part in parts(node, node.grad):
            x.grad += part


def backward_keeping_all(output):
    output.grad = 1.0
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part


def backward_keeping_between(output):
    for leaf in Tape(output).leaves:
        leaf.grad = None
    backward_keeping_all(output)


def backward_keeping_leaves(output):
    for node in Tape(output).operations:
        node.grad = None
    backward_keeping_all(output)


# --- 03.4: names, leaves, leftovers ---------------------------------------------------


def backward_keeping(output):
    output.grad = 1.0
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part


def prediction():
    leaf = Value(3.0)
    x = 2 * leaf
    y = x * x
    y.backward()
    of_x, of_leaf = x.grad, leaf.grad
    x = Value(5.0)
    y = x + 1 + 1 + 1
    for _ in range(5):
        x.grad = None
        backward_keeping(y)
    return of_x, of_leaf, x.grad


# --- 03.5: second derivatives ---------------------------------------------------------


def recorded_gradient(output, x):
    grads = {output: Value(1.0)}
    for node in reversed(Tape(output).operations):
        parts_of_node = node.op.vjp(grads[node], node, *node.inputs)
        for a, part in zip(node.inputs, parts_of_node, strict=True):
            grads[a] = part if a not in grads else grads[a] + part
    return grads[x]


CURVES = {
    "x³": (lambda x: x**3, 2.0),
    "x·x·x + x": (lambda x: x * x * x + x, 1.5),
    "tanh x": (lambda x: x.tanh(), 0.5),
    "σ(x)·eˣ": (lambda x: x.sigmoid() * x.exp(), -0.4),
    "x/(1 + x²)": (lambda x: x / (1 + x * x), 0.8),
    "log(x)·(2 − x)": (lambda x: x.log() * (2 - x), 1.7),
}


def both_slopes(answer, name):
    """The first and the second derivative, or a word for what came back instead."""
    f, at = CURVES[name]
    x = Value(at)
    found = answer(f(x), x)
    if not isinstance(found, Value):
        return "nothing" if found is None else "a number"
    x.grad, first = None, found.data
    if not found.requires_grad:
        return first, None
    found.backward()
    return first, x.grad


def made_by(slopes, mistake):
    """Whether a wrong answer gives the same for all curves."""
    made = {name: both_slopes(mistake.code, name) for name in CURVES}
    return all(alike(slopes[name], made[name]) for name in CURVES)


def alike(one, other):
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    pairs = zip(one, other, strict=True)
    return all(
        a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9)
        for a, b in pairs
    )


def judge_recorded_gradient(answer, run):
    slopes = {name: run(name, of=bound(answer)) for name in CURVES}
    right = {name: both_slopes(recorded_gradient, name) for name in CURVES}
    wrong = [name for name in CURVES if not alike(slopes[name], right[name])]
    if not wrong:
        return None
    for mistake in SECOND_MISTAKES:
        if made_by(slopes, mistake):
            return mistake
    return in_words(wrong[0], slopes[wrong[0]], right[wrong[0]])


def bound(answer):
    return lambda name: both_slopes(answer, name)


def in_words(name, got, right):
    if got == "nothing":
        return "It returns None. Is a `return` missing?"
    if got == "a number":
        return SECOND_MISTAKES[0]
    at = f"`{name}` at {CURVES[name][1]:g}"
    if not math.isclose(got[0], right[0], rel_tol=1e-9):
        return f"The first derivative of {at} is {right[0]:.6g}; yours is {got[0]:.6g}."
    if got[1] is None:
        return SECOND_MISTAKES[1]
    return (
        f"The first derivative of {at} is right, but its tape does not give the second "
        f"one: {right[1]:.6g}, not {got[1]:.6g}. Where does a number stand in place of "
        "a node?"
    )


def plain_number(output, x):
    output.backward()
    return x.grad


def cut_off(output, x):
    output.backward()
    return Value(x.grad)


def recorded(output, x, incoming=None, out=None, inputs=None, add=True):
    grads = {output: Value(1.0)}
    for node in reversed(Tape(output).operations):
        g = grads[node].data if incoming else grads[node]
        y = node.data if out else node
        xs = [a.data for a in node.inputs] if inputs else node.inputs
        for a, part in zip(node.inputs, node.op.vjp(g, y, *xs), strict=True):
            part = part if isinstance(part, Value) else Value(part)
            grads[a] = grads[a] + part if a in grads and add else part
    return grads[x]


def output_as_number(output, x):
    return recorded(output, x, out=True)


def inputs_as_numbers(output, x):
    return recorded(output, x, inputs=True)


def incoming_as_number(output, x):
    return recorded(output, x, incoming=True)


def overwritten(output, x):
    return recorded(output, x, add=False)


def all_as_numbers(output, x):
    return recorded(output, x, incoming=True, out=True, inputs=True)


SECOND_MISTAKES = [
    Mistake(
        "a-number",
        plain_number,
        "A number comes back, and a number has no tape. The gradient has to be a "
        "`Value` that was recorded, so that `backward()` can be called on it.",
        ENGINE,
    ),
    Mistake(
        "cut-off",
        cut_off,
        "The first derivative is right, but nothing leads from it back to `x`: a "
        "`Value` made of a number is a new leaf. Every step has to be recorded.",
        ENGINE,
    ),
    Mistake(
        "output-as-number",
        output_as_number,
        "The rules get the output as a number. tanh, σ and the exponential use their "
        "output, so half of what they depend on is off the tape.",
        RULES,
    ),
    Mistake(
        "inputs-as-numbers",
        inputs_as_numbers,
        "The rules get the inputs as numbers. In the rule of the product the other "
        "factor depends on `x` too, and that is off the tape.",
        RULES,
    ),
    Mistake(
        "incoming-as-number",
        incoming_as_number,
        "The gradient that arrives is handed on as a number. It depends on `x` as "
        "well, through all that comes behind.",
        RULES,
    ),
    Mistake(
        "assigned",
        overwritten,
        "Only the last part is left at a value that is used more than once. The parts "
        "add, for nodes as for numbers.",
        WRONG,
    ),
]

EXERCISES = [
    Exercise(
        number="03.1",
        title="The rule of the sine",
        reference=sin_vjp,
        inputs=sin_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "activation-missing",
                sin_passed_on,
                "The gradient comes back as it arrived, as if the sine were not there. "
                "A rule multiplies it by the slope of the operation.",
                RULES,
            ),
            Mistake(
                "at-output",
                sin_at_output,
                "The slope is taken at the output, $\\sin x$. This rule gets the "
                "input, and needs it there.",
                RULES,
            ),
            Mistake(
                "function-again",
                sin_again,
                "This is the sine itself once more, times what arrived. The way back "
                "needs its slope.",
                RULES,
            ),
            Mistake(
                "sign-lost",
                sin_from_output,
                "A root is never negative, but the sine falls as often as it rises. "
                "The output alone does not tell which of the two it does here.",
                RULES,
            ),
            Mistake(
                "rule-of-tanh",
                sin_by_rule_of_tanh,
                "$1 - y^2$ is the rule of tanh. The sine has another slope, though its "
                "square looks like this.",
                RULES,
            ),
            Mistake(
                "incoming-inside",
                sin_of_incoming,
                "What arrived is multiplied with `x`, inside of the slope. The slope "
                "is taken at `x`, and then multiplied by what arrived.",
                CHAIN,
            ),
            Mistake(
                "incoming-divided",
                sin_divided,
                "It divides by the gradient that arrives. Prices along a path "
                "multiply.",
                CHAIN,
            ),
            Mistake(
                "degrees",
                sin_in_degrees,
                "The angle is turned from degrees into radians, but `math.sin` takes "
                "radians from the start.",
                RULES,
            ),
            Mistake(
                "times-input",
                sin_times_input,
                "There is a factor `x` too much. An inner derivative belongs to the "
                "operation that computed `x`, which has its own rule.",
                CHAIN,
            ),
            Mistake(
                "returns-input",
                sin_input_back,
                "`x` comes back as it is. What has to be computed of it, and of what "
                "arrived, is missing.",
                RULES,
            ),
            Mistake(
                "exchanged",
                sin_exchanged,
                "The two arguments are exchanged: the slope belongs to `x`, and is "
                "multiplied by `grad_out`.",
                RULES,
            ),
            Mistake(
                "incoming-subtracted",
                sin_subtracted,
                "What arrived is subtracted, where the chain rule multiplies.",
                CHAIN,
            ),
            Mistake(
                "cosine-twice",
                sin_slope_of_slope,
                "The cosine is taken twice. Its argument is the input itself.",
                RULES,
            ),
            Mistake(
                "a-tuple",
                sin_in_a_tuple,
                "The number is right, but it stands in a tuple. The table of "
                "operations wants one; here `sin_vjp` is to return the number itself, "
                "as `exp_vjp` does.",
                RULES,
            ),
            Mistake(
                "sign",
                sin_sign_reversed,
                "The sign is reversed. At 0 the sine rises, so its slope there is 1, "
                "not −1.",
                RULES,
            ),
            Mistake("incoming-ignored", sin_without_incoming, where=CHAIN),
        ],
        absent={"assigned": USED_ONCE, "broadcast": NUMBERS},
        variants=[sin_by_shift, sin_by_complex_numbers, sin_by_addition_formula],
        hints=(
            "A rule returns what arrived, times the slope of the operation. Which "
            "function is the slope of the sine?",
            "The sine is steepest at 0, flat at $\\pi/2$, and falls after that. Its "
            "slope is 1, then 0, then negative.",
            "$\\sin' x = \\cos x$, at the input. `exp_vjp` shows the form: one line, a "
            "product.",
        ),
        explanation=(
            "$\\sin' x = \\cos x$, so the rule needs the input. From the output $y$ we "
            "would only get $\\cos x = \\pm\\sqrt{1 - y^2}$, and the sign would be "
            "lost."
        ),
    ),
    Exercise(
        number="03.2",
        title="A length as one operation",
        reference=hypot_vjp,
        inputs=hypot_inputs,
        gradient=True,
        outputs=("grad_a", "grad_b"),
        mistakes=[
            Mistake(
                "activation-missing",
                hypot_passed_on,
                "Both inputs get what arrived, as a sum would give it. The squares and "
                "the root have slopes of their own.",
                RULES,
            ),
            Mistake(
                "at-output",
                hypot_at_output,
                "The output stands where the input belongs. `r` is the length already; "
                "on top of the fraction there has to be the side.",
                RULES,
            ),
            Mistake(
                "root-alone",
                hypot_root_alone,
                "This is the slope of the root alone. Inside it stands a square, and "
                "the chain rule multiplies by its slope too.",
                CHAIN,
            ),
            Mistake(
                "squares-alone",
                hypot_squares_alone,
                "This is the slope of the squares alone. A root is taken of their sum, "
                "and it has a slope too.",
                CHAIN,
            ),
            Mistake(
                "upside-down",
                hypot_upside_down,
                "The fraction stands on its head. A side never changes faster than it "
                "pulls the length along, so the slope is at most 1.",
                RULES,
            ),
            Mistake(
                "square-kept",
                hypot_square_kept,
                "The square is still a square. Differentiated, its exponent falls by "
                "one.",
                RULES,
            ),
            Mistake(
                "divided-by-square",
                hypot_by_square,
                "It divides by the square of the length. Take lengths ten times as "
                "great: the slope must stay as it is.",
                RULES,
            ),
            Mistake(
                "sum-for-length",
                hypot_by_sum,
                "It divides by the sum of the sides. The length is the root of the sum "
                "of squares, which is shorter.",
                RULES,
            ),
            Mistake(
                "sign-lost",
                hypot_sign_lost,
                "The sign of the input is lost. Where a side is negative, one unit "
                "more makes the length shorter.",
                RULES,
            ),
            Mistake(
                "rule-of-product",
                hypot_by_product_rule,
                "This is the rule of the product: each gets the other one. Here each "
                "input has a square of its own.",
                RULES,
            ),
            Mistake(
                "output-for-slope",
                hypot_by_output,
                "What arrived is multiplied by the length itself. That is the rule of "
                "the exponential, the only one whose slope is its output.",
                RULES,
            ),
            Mistake(
                "all-squared",
                hypot_all_squared,
                "Side and length are both squared. The two slopes would then add up to "
                "1; it is their squares that do.",
                RULES,
            ),
            Mistake(
                "returns-input",
                hypot_inputs_back,
                "The inputs come back as they are. What has to be computed of them, "
                "and of what arrived, is missing.",
                RULES,
            ),
            Mistake(
                "divided-by-input",
                hypot_divided,
                "It divides by the input. That is the rule of the logarithm.",
                RULES,
            ),
            Mistake(
                "half",
                hypot_half,
                "Every number is half the right one. The root brings a 2 below the "
                "line; what does a square bring, above it?",
                CHAIN,
            ),
            Mistake("incoming-ignored", hypot_without_incoming, where=CHAIN),
        ],
        absent={"assigned": USED_ONCE, "broadcast": NUMBERS},
        variants=[hypot_by_power, hypot_by_angle, hypot_on_the_tape],
        hints=(
            "Write $r = \\sqrt{s}$ with $s = a^2 + b^2$, and go back through both "
            "steps: the root, then the squares.",
            "The root gives $g / (2r)$ to $s$. Each square multiplies that by its own "
            "slope, $2a$ and $2b$. Which factor cancels?",
            "What is left is a side over the length, times what arrived. No square and "
            "no root has to be computed anew.",
        ),
        explanation=(
            "$\\partial r/\\partial a = \\frac{1}{2r} \\cdot 2a = a/r$, and the same "
            "for $b$. The two slopes are cosine and sine of the angle: a side counts "
            "as far as it points along the vector."
        ),
    ),
    Exercise(
        number="03.3",
        title="Find the bug: each node only once",
        reference=mended_backward,
        inputs=program_inputs,
        call=two_calls,
        outputs=("x.grad", "x.grad after a second call"),
        mistakes=[
            Mistake(
                "as-shown",
                backward_as_shown,
                "A node still passes its gradient on at the first visit, before its "
                "other uses have brought theirs.",
                ORDER,
            ),
            Mistake(
                "second-loop",
                backward_second_loop,
                "All parts of *one* node are brought before its inputs are visited, "
                "but a part may still come from another node, by a longer way.",
                ORDER,
            ),
            Mistake(
                "breadth-first",
                backward_breadth_first,
                "The nodes are taken by their distance from the output. The distance "
                "is no order: a node may be near by one way and far by another.",
                ORDER,
            ),
            Mistake(
                "every-visit",
                backward_every_time,
                "A node is visited by every path, and passes on its whole sum each "
                "time. What came first is counted again.",
                WRONG,
            ),
            Mistake(
                "assigned",
                backward_assigning,
                "The order is right, but each part overwrites the one before. At a "
                "value that is used twice, the parts add.",
                WRONG,
            ),
            Mistake(
                "forwards",
                backward_forwards,
                "The operations are played from the first to the last. Each of them "
                "runs before anything has arrived at it.",
                WRONG,
            ),
            Mistake(
                "depth-first",
                backward_by_stack,
                "A stack takes the newest entry first and runs down one branch to its "
                "end. What other branches bring comes too late.",
                ORDER,
            ),
            Mistake(
                "from-value",
                backward_from_value,
                "The way back begins with the value of the output. It begins with 1: "
                "one unit more of the output is one unit more.",
                ENGINE,
            ),
            Mistake(
                "subtracted",
                backward_subtracting,
                "The parts are subtracted. What comes by several edges adds.",
                WRONG,
            ),
            Mistake(
                "edges-merged",
                backward_merging_edges,
                "Two edges that lead to the same input count as one, in $x \\cdot x$ "
                "for example: a dictionary has one place for each key.",
                WRONG,
            ),
            Mistake(
                "first-only",
                backward_first_only,
                "Only the first part that arrives is kept, and the later ones are "
                "dropped. At a value that is used twice, the parts add.",
                WRONG,
            ),
            Mistake(
                "incoming-ignored",
                backward_without_incoming,
                "Every rule is given 1, whatever has arrived at its node. The chain "
                "rule multiplies by what comes from behind.",
                CHAIN,
            ),
            Mistake(
                "from-ones",
                backward_from_ones,
                "Every node begins with 1. That is the output's gradient alone; the "
                "others begin with nothing.",
                ENGINE,
            ),
            Mistake(
                "nothing-cleared",
                backward_keeping_all,
                "The first call is right, the second one starts with the gradients of "
                "the first. They have to be cleared, in all nodes.",
                TWICE,
            ),
            Mistake(
                "between-kept",
                backward_keeping_between,
                "The first call is right, in the second one the nodes in between still "
                "hold what they had. Only the leaves are cleared.",
                WRONG,
            ),
            Mistake(
                "leaves-kept",
                backward_keeping_leaves,
                "The second call adds to the first, in the leaves. Here every call is "
                "to start afresh.",
                TWICE,
            ),
        ],
        variants=[
            backward_by_tape,
            backward_along_paths,
            backward_by_own_sort,
            backward_by_counting_uses,
        ],
        hints=(
            "On the graph of $s = x + x$, $y = s + s$: when is $s$ visited, and how "
            "much has arrived there by then?",
            "A node may pass on only when it is complete: when all operations that use "
            "it have been played. In which order does that hold for every node?",
            "`Tape(output).operations` lies in the order of creation. Read it from the "
            "end; then no `seen` is needed, and nothing calls itself.",
        ),
        explanation=(
            "Reversed, the order of creation plays every operation after all those "
            "that use its result, so what it passes on is complete. Visiting once was "
            "not the mistake; it was the moment of the visit."
        ),
    ),
    Exercise(
        number="03.4",
        title="Predict: names, leaves, leftovers",
        reference=prediction,
        outputs=("a", "b", "c"),
        mistakes=[
            Mistake(
                "first-x",
                lambda: (6.0, 24.0, 15.0),
                "(a) 6 is the slope of a square at 3. Which number enters the square "
                "here?",
                ENGINE,
            ),
            Mistake(
                "leaf-for-name",
                lambda: (24.0, 24.0, 15.0),
                "(a) 24 is the gradient of the leaf. `x` is the product, which stands "
                "between the leaf and `y`.",
                ENGINE,
            ),
            Mistake(
                "value",
                lambda: (36.0, 36.0, 15.0),
                "36 is the value of `y`. The question is for a gradient.",
                ENGINE,
            ),
            Mistake(
                "one-factor",
                lambda: (3.0, 24.0, 15.0),
                "(a) A product with itself has two edges to its input, and the parts "
                "of both add.",
                WRONG,
            ),
            Mistake(
                "name-for-leaf",
                lambda: (12.0, 12.0, 15.0),
                "(b) 12 is the gradient of `x`. Between `x` and the leaf stands one "
                "more operation.",
                CHAIN,
            ),
            Mistake(
                "leaf-alone",
                lambda: (12.0, 6.0, 15.0),
                "(b) That would be the slope of a square of the leaf. As a function of "
                "the leaf $t$, the output is $(2t)^2$.",
                CHAIN,
            ),
            Mistake(
                "last-factor",
                lambda: (12.0, 2.0, 15.0),
                "(b) 2 is the last factor of the chain. From the output to the leaf, "
                "all of them multiply.",
                CHAIN,
            ),
            Mistake(
                "all-cleared",
                lambda: (12.0, 24.0, 1.0),
                "(c) 1 is what it should give. But nothing clears the two nodes in "
                "between.",
                WRONG,
            ),
            Mistake(
                "second-call",
                lambda: (12.0, 24.0, 3.0),
                "(c) Three is what the second call gives. In every further call the "
                "nodes in between have more.",
                WRONG,
            ),
            Mistake(
                "calls-counted",
                lambda: (12.0, 24.0, 5.0),
                "(c) That is the number of calls. It stands in the *later* one of the "
                "nodes in between, and the earlier one adds these numbers up.",
                WRONG,
            ),
            Mistake(
                "two-more",
                lambda: (12.0, 24.0, 9.0),
                "(c) From 1 to 3 it is two more; but what is added grows from call to "
                "call, since what is passed on grows too.",
                WRONG,
            ),
            Mistake(
                "tripled",
                lambda: (12.0, 24.0, 81.0),
                "(c) The calls do not multiply: each one adds to what is left in "
                "between. Write the two gradients down, call by call.",
                WRONG,
            ),
            Mistake(
                "doubled",
                lambda: (12.0, 24.0, 31.0),
                "(c) Doubling and one more would need `x` to keep its own gradient. It "
                "is cleared; the two nodes in between are not.",
                WRONG,
            ),
            Mistake(
                "call-before",
                lambda: (12.0, 24.0, 10.0),
                "(c) That is the fourth call.",
                WRONG,
            ),
            Mistake(
                "squared",
                lambda: (12.0, 24.0, 25.0),
                "(c) The numbers grow like squares, but they are sums: 1, 1 + 2, "
                "and so on.",
                WRONG,
            ),
            Mistake(
                "third-call",
                lambda: (12.0, 24.0, 6.0),
                "(c) That is the third call.",
                WRONG,
            ),
            Mistake(
                "leaf-kept",
                lambda: (12.0, 24.0, 35.0),
                "(c) That is the sum over all calls, as if `x.grad` were kept as well. "
                "It is cleared before each call.",
                WRONG,
            ),
        ],
        hints=(
            "`leaf` and `x` are two nodes. Which number does each of them hold, and "
            "which one is squared?",
            "For (c), call the gradients of the two nodes in between $p$ (of `x + 1`) "
            "and $q$. A call adds 1 to $q$, then $q$ to $p$, and passes $p$ on.",
            "After the calls, $q$ is 1, 2, 3, …, and $p$ is the sum of these: 1, 3, 6, "
            "….",
        ),
        explanation=(
            "(a) `x` is the product, 6, and $y = x^2$ has the slope 12 there. (b) The "
            "leaf, 3, gets twice that, 24. (c) In between stand 1, 2, 3, 4, 5 and "
            "their sums 1, 3, 6, 10, 15; the leaf gets 15."
        ),
    ),
    Exercise(
        number="03.5",
        title="Second derivatives",
        reference=recorded_gradient,
        judge=judge_recorded_gradient,
        mistakes=SECOND_MISTAKES,
        hints=(
            "It is `Tape.backward` once more, with a dictionary in place of `.grad`. "
            "What does a rule do when it is given `Value`s?",
            "A rule multiplies and adds what it is given. Given nodes, each of these "
            "steps is recorded: so hand it `grads[node]`, `node`, `*node.inputs`, and "
            "never `.data`.",
            "At an input: the first part is put into the dictionary, further ones are "
            "added to what is there, `grads[a] + part`, which is a node again.",
        ),
        explanation=(
            "The backward pass is itself a computation, so it can be recorded. Where "
            "the rule of `relu` asks whether $x > 0$, it fails: a `Value` cannot be "
            "compared. Its slope is constant on both sides, so nothing would be lost "
            "by asking `x.data`."
        ),
    ),
]
