"""Makes the mutants of a module: mutmut's operators, and those for what decides here, expressions and patterns."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import libcst as cst
from libcst.metadata import CodePosition, CodeRange, MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators

from tools.mutants.expressions import changed_expressions, is_expression
from tools.mutants.patterns import changed_patterns, is_pattern

type Operator = Callable[[Any], Iterable[cst.CSTNode]]

# Text for people: its wording is no behaviour.
_SENTENCE: Final = re.compile(r"[a-z]{2}\W{0,3} [A-Za-z(]")
_EXCEPTIONS: Final = ("Error", "BadRequest", "StateMissing")
# Calls that no mutant can tell from their absence (`assert_never`), or whose argument every mutant breaks at once.
_LEFT_ALONE: Final = frozenset({"assert_never", "cast", "isinstance", "len"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a module: the whole changed `source`, and what was changed where.

    `function` is the qualified name of the function whose body is changed, None outside of every function. `line` is
    the changed line of the original. `change` is the difference, one line each with `-` or `+` before it.
    """

    source: str
    function: str | None
    line: int
    change: str

    @property
    def key(self) -> str:
        """Give the name under which the mutant's fate is kept; it changes with any change of the module."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:16]


def mutants_of(source: str) -> list[Mutant]:
    """Give the mutants of a module's source."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    maker = _Maker(source, wrapper.module, wrapper.resolve(WhitespaceInclusivePositionProvider))
    wrapper.module.visit(maker)
    return list({mutant.source: mutant for mutant in maker.found if mutant.source != source}.values())


class _Maker(cst.CSTVisitor):
    """Applies every operator to every node that it fits; one node is changed in each mutant."""

    def __init__(self, source: str, module: cst.Module, positions: Mapping[cst.CSTNode, CodeRange]) -> None:
        super().__init__()
        self.source = source
        self.module = module
        self.positions = positions
        self.found: list[Mutant] = []
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scopes: list[cst.FunctionDef | cst.ClassDef] = []
        self._bodies = 0  # how many function bodies we are in
        self._texts: set[cst.CSTNode] = set()  # of exceptions

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator | cst.TypeAlias | cst.TypeParameters):
            return False
        if isinstance(node, cst.Call) and _is_left_alone(node):
            return False
        if isinstance(node, cst.Assign) and _is_list_of_exports(node):
            return False
        if node in self._texts:
            return False
        if isinstance(node, cst.Call) and _makes_exception(node):
            self._texts.update(each.value for each in node.args if _is_text(each.value))
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scopes.append(node)
        if isinstance(node, cst.IndentedBlock) and self._is_body(node):
            self._bodies += 1
        for changed in _changes(node):
            if not _tells_the_same(node, changed):
                self._add(node, changed)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.IndentedBlock) and self._is_body(original_node):
            self._bodies -= 1
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._scopes.pop()

    def _is_body(self, block: cst.IndentedBlock) -> bool:
        return bool(self._scopes) and isinstance(self._scopes[-1], cst.FunctionDef) and block is self._scopes[-1].body

    def _add(self, node: cst.CSTNode, changed: cst.CSTNode) -> None:
        place = self.positions.get(node)
        start, end = (0, 0) if place is None else (self._offset(place.start), self._offset(place.end))
        if self.module.code_for_node(node) == self.source[start:end]:
            mutated = self.source[:start] + self.module.code_for_node(changed) + self.source[end:]
        else:  # a statement with others in it: its code alone lacks the indentation
            mutated = cst.ensure_type(self.module.deep_replace(node, changed), cst.Module).code
        line, change = _difference(self.source, mutated)
        if isinstance(node, cst.Match):  # where cases look alike, the difference may begin in the one before
            line = self.positions[node.subject].start.line
        self.found.append(Mutant(mutated, self._function(), line, change))

    def _offset(self, position: CodePosition) -> int:
        return self._starts[position.line - 1] + position.column

    def _function(self) -> str | None:
        """Give the outermost function that we are in the body of."""
        if not self._bodies:
            return None
        names = []
        for scope in self._scopes:
            names.append(scope.name.value)
            if isinstance(scope, cst.FunctionDef):
                break
        return ".".join(names)


def _difference(source: str, mutated: str) -> tuple[int, str]:
    line, shown = 0, []
    lines = difflib.unified_diff(source.splitlines(), mutated.splitlines(), n=0, lineterm="")
    for each in list(lines)[2:]:
        if each.startswith("@@"):
            line = line or int(each.split()[1].strip("-").split(",")[0])
        else:
            shown.append(each)
    margin = min(len(each) - len(each[1:].lstrip()) for each in shown if each[1:].strip()) - 1
    return line, "\n".join(each[0] + each[1 + margin :] for each in shown)


def _changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.SimpleString | cst.FormattedString):
        yield from _other_texts(node)
        if isinstance(node, cst.SimpleString) and _is_whole(node):
            return
    for kind, operator in (*mutation_operators, *_OURS):
        if isinstance(node, kind):
            yield from operator(node)


def _is_whole(node: cst.SimpleString) -> bool:
    """Say whether changing the text anywhere tells nothing: a sentence for people, or an expression that we change."""
    return is_expression(node.value) or is_pattern(node.value) or _SENTENCE.search(node.value) is not None


def _tells_the_same(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    """Say whether the change is in an exception's text, which nothing reads, from False to None, or in a dead case."""
    match node, changed:
        case cst.Call(), cst.Call() if _makes_exception(node):
            return _without_texts(node).deep_equals(_without_texts(changed))
        case cst.Call(), cst.Call() if len(node.args) == len(changed.args):
            return any(map(_is_as_false, node.args, changed.args))
        case cst.Match(), cst.Match():
            return all(_is_never_met(each) for each in node.cases if each not in changed.cases)
        case _:
            return False


def _is_as_false(argument: cst.Arg, changed: cst.Arg) -> bool:
    match argument.value, changed.value:
        case cst.Name("False"), cst.Name("None"):
            return True
        case _:
            return False


def _is_never_met(case: cst.MatchCase) -> bool:
    match case.body:
        case cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Expr(cst.Call(cst.Name("assert_never")))])]):
            return True
        case _:
            return False


def _is_list_of_exports(assignment: cst.Assign) -> bool:
    return any(isinstance(each.target, cst.Name) and each.target.value == "__all__" for each in assignment.targets)


def _is_left_alone(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value in _LEFT_ALONE


def _makes_exception(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value.endswith(_EXCEPTIONS)


def _without_texts(call: cst.Call) -> cst.Call:
    return cst.Call(call.func, [cst.Arg(each.value) for each in call.args if not _is_text(each.value)])


def _is_text(node: cst.BaseExpression) -> bool:
    match node:
        case cst.SimpleString() | cst.FormattedString() | cst.ConcatenatedString() | cst.Name(value="None"):
            return True
        case cst.BinaryOperation():
            return _is_text(node.left) and _is_text(node.right)
        case cst.IfExp():
            return _is_text(node.body) and _is_text(node.orelse)
        case _:
            return False


def _other_texts(node: cst.SimpleString | cst.FormattedString) -> Iterator[cst.CSTNode]:
    code = cst.Module([]).code_for_node(node)
    patterns = changed_patterns(code) if isinstance(node, cst.SimpleString) else ()
    for changed in (*changed_expressions(code), *patterns):
        yield cst.parse_expression(changed)


def _negated(condition: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    # A comparison, and what is joined by `and` and `or`, has mutants already.
    if isinstance(condition, cst.Name | cst.Attribute | cst.Call):
        yield cst.UnaryOperation(cst.Not(), condition)


def _negated_test(node: cst.If | cst.IfExp | cst.CompIf) -> Iterator[cst.CSTNode]:
    yield from (node.with_changes(test=test) for test in _negated(node.test))


def _negated_guard(node: cst.MatchCase) -> Iterator[cst.CSTNode]:
    if node.guard is not None:
        yield from (node.with_changes(guard=guard) for guard in _negated(node.guard))


def _negated_operand(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    yield from (node.with_changes(left=left) for left in _negated(node.left))
    yield from (node.with_changes(right=right) for right in _negated(node.right))


def _removed_call(node: cst.Expr) -> Iterator[cst.CSTNode]:
    if isinstance(node.value, cst.Call) and not _is_left_alone(node.value):
        yield cst.Pass()


_OURS: Final[tuple[tuple[type[cst.CSTNode] | Any, Operator], ...]] = (
    (cst.If, _negated_test),
    (cst.IfExp, _negated_test),
    (cst.CompIf, _negated_test),
    (cst.MatchCase, _negated_guard),
    (cst.BooleanOperation, _negated_operand),
    (cst.Expr, _removed_call),
)
