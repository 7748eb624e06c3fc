"""The magics: what is typed, parsed and handed on."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import cast

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
    output_can_be_silenced,
)

from ipygradmagic.errors import GradMagicError, OptionError
from ipygradmagic.notebook import names
from ipygradmagic.notebook.arguments import (
    Request,
    read,
    read_for_cell,
    split_statement,
    words_of,
)
from ipygradmagic.notebook.diff import show_difference
from ipygradmagic.notebook.execute import calling_frame, calling_line, execute, place
from ipygradmagic.notebook.explain import explained
from ipygradmagic.notebook.faults import contained
from ipygradmagic.notebook.flags import (
    DEPTH,
    DIFF,
    EXPLAIN,
    FORMAT,
    IGNORE,
    LANG,
    LAST,
    LEVEL,
    LIMIT,
    OFF,
    ON,
    ROWS,
    SAVE,
    SAVE_GRAPH,
    SAVED_TENSORS,
    STRICT,
    TEACH,
    WHAT_IF,
    option,
    with_arguments,
)
from ipygradmagic.notebook.memory import Memory
from ipygradmagic.notebook.publish import publish
from ipygradmagic.notebook.recall import recall
from ipygradmagic.notebook.run import Run, cell_namer, raw_cell
from ipygradmagic.notebook.settings import GradMagic
from ipygradmagic.notebook.watch import Watch
from ipygradmagic.options import Options

USAGE = """\
%trace_grad STATEMENT      trace one statement, e.g.  %trace_grad --rows 10 loss.backward()
%%trace_grad [NAMES]       as the first line of a cell: trace the cell
%trace_grad --last [N]     show the last report again; t = %trace_grad --last  gives the trace
%trace_grad --on, --off    trace every following cell, and speak only where something is wrong
%trace_grad --diff         the last run of a cell against the one before: is it mended?
%trace_grad --explain NAME what a finding is, with wrong and right code
%trace_grad?               all options, with examples
%config GradMagic          what options are where a line does not say, e.g.
                           %config GradMagic.rows = 60"""


@magics_class
class GradMagics(Magics):
    """``%%trace_grad`` and ``%grad_state``."""

    shell: InteractiveShell

    def __init__(
        self, shell: InteractiveShell, memory: Memory, watch: Watch, settings: GradMagic
    ) -> None:
        super().__init__(shell=shell)
        self._memory = memory
        self._watch = watch
        self._settings = settings

    # Without a cell below it, the line is a statement: its options are read one by one,
    # because a statement can contain anything that looks like an option.
    @with_arguments(
        option(
            "names",
            nargs="*",
            help="tensors to show, by name or pattern: w, model.*; all if none is given. "
            "Recording and diagnosis always cover every tensor",
        ),
        ROWS,
        option("--no-graph", action="store_true", help="no picture of the autograd graph"),
        option(
            "--graph",
            dest="backward",
            type=int,
            metavar="N",
            help="only the picture of backward #N, with the gradients as they were right after it",
        ),
        DEPTH,
        SAVED_TENSORS,
        SAVE_GRAPH,
        FORMAT,
        LANG,
        option("-o", "--output", metavar="NAME", help="store the trace in the namespace as NAME"),
        SAVE,
        LEVEL,
        option(
            "--fix",
            action="store_true",
            help="put the cell with the proposed changes below this one, for you to run",
        ),
        WHAT_IF,
        LIMIT,
        IGNORE,
        STRICT,
        TEACH,
        EXPLAIN,
        LAST,
        ON,
        OFF,
        DIFF,
    )
    @no_var_expand
    @needs_local_scope
    @output_can_be_silenced
    @line_cell_magic
    def trace_grad(
        self, line: str, cell: str | None = None, local_ns: dict[str, object] | None = None
    ) -> object:
        """Show what a cell does to the gradients, and say what is wrong.

        The cell runs as it would without the magic. Below its output comes a report: a verdict
        in words; for every backward, step and zero_grad (also hand-written ones) each
        gradient before, what was added, and after, with the line that did it; and a picture of
        the graph. Nothing that the cell computes, prints or raises is changed.

        As a line magic it traces one statement: put options first, then the statement.

        Examples
        --------
        ::

            %%trace_grad
            for x, y in batches:
                loss = loss_of(model(x), y)
                loss.backward()
                optimizer.step()          # is a zero_grad missing? the report says so

            %%trace_grad model.0.weight --rows 20 -o t
            train(model)                  # afterwards: t.findings, t.events

            %%trace_grad --save run.jsonl
            train(model)                  # afterwards: pandas.read_json("run.jsonl", lines=True)

            %%trace_grad --what-if
            train(model)                  # and once more with the proposed change: what it costs

            %%trace_grad --graph 3 --save-graph third.svg
            train(model)                  # the picture of backward #3, also as a file

            %trace_grad --no-graph loss.backward()

            %trace_grad --on              # traces every following cell, and speaks only of errors
                                          # and warnings; %trace_grad --off ends that

            %trace_grad --last            # shows the last report again; --last 3 the last three
            t = %trace_grad --last        # or gives its trace: t.events, t.to_dataframe()

            %trace_grad --diff            # what the last run of a cell has that the one before had not

            %trace_grad --explain stale-gradient
        """
        __tracebackhide__ = True
        if cell is not None:
            return self._trace_body(line, cell, local_ns)
        parser = parser_of(self, "trace_grad")
        words, statement = split_statement(parser, line)
        settings = self._settings.defaults()
        reader = read_for_cell if statement else read
        request = reader(parser, words, settings)
        if not statement:
            return self._without_code(request)
        return self._trace(request, statement, calling_line(self.shell), local_ns)

    def _trace_body(self, line: str, body: str, local_ns: dict[str, object] | None) -> object:
        """``%%trace_grad`` called by hand; see ``cell`` for what happens to one in a cell."""
        __tracebackhide__ = True
        request = read_for_cell(
            parser_of(self, "trace_grad"), words_of(line), self._settings.defaults()
        )
        above, found, _ = raw_cell(self.shell).lstrip("\n").partition(body)
        first = above.count("\n") + 1 if found and body else 1
        return self._trace(request, body, first, local_ns)

    def _without_code(self, request: Request) -> object:
        """A line that only shows or switches something."""
        if request.explain is not None:
            self._explain(request.explain, request.options)
        elif request.last is not None:
            return recall(self.shell, self._memory, request, calling_frame(self.shell))
        elif request.watch is not None:
            print(self._watch.turn(request))
        elif request.diff:
            with contained("compare the two runs"):
                show_difference(self.shell, self._memory, request.options.format)
        else:
            print(USAGE)
        return None

    def _explain(self, name: str, options: Options) -> None:
        with contained("show that page"):
            try:
                found = explained(name, options.lang)
            except OptionError as error:
                raise UsageError(str(error)) from None
            publish(self.shell, found, options.format)

    def _trace(
        self, request: Request, source: str, line: int, local_ns: Mapping[str, object] | None
    ) -> object:
        """Run the source under a trace of its own."""
        __tracebackhide__ = True
        if request.what_if:
            raise UsageError(
                "--what-if is for a whole cell: make it %%trace_grad --what-if, on top"
            )
        python = self.shell.transform_cell(source)  # type: ignore[no-untyped-call]
        moved, filename = place(self.shell, python, line)
        run = Run(self.shell, request, filename, self._memory, code=source)
        try:
            run.start()
            value = execute(self.shell, moved, filename, local_ns)
        except BaseException as error:
            run.finish(error)
            raise
        run.finish()
        return value

    @with_arguments(
        option(
            "expressions",
            nargs="*",
            help="what to look at: w, model.fc.weight, layers[2]; all of the namespace if none "
            "is given. Blanks only inside brackets or quotes",
        ),
        option("--graph", metavar="EXPR", help="draw the graph behind this tensor, e.g. loss"),
        DEPTH,
        SAVED_TENSORS,
        SAVE_GRAPH,
        ROWS,
        FORMAT,
        LANG,
    )
    @no_var_expand
    @needs_local_scope
    @line_magic
    def grad_state(self, line: str, local_ns: dict[str, object] | None = None) -> None:
        """Show every tensor that requires grad as it is now.

        For each one: name, shape, value, its gradient (None, zero, or numbers), what the
        gradient holds and since which cell and line, which optimizer owns it, and what is odd
        about it. Modules and optimizers are opened up. No trace is needed before; if there was
        one, it is known where a gradient came from.

        Examples
        --------
        ::

            %grad_state
            %grad_state model.fc.weight w --graph loss
        """
        request = read(parser_of(self, "grad_state"), words_of(line), self._settings.defaults())
        namespace: dict[str, object] = self.shell.user_ns
        if local_ns is not None and local_ns is not namespace:  # called inside a function
            namespace = {**namespace, **local_ns}
        expressions = {text: _value_of(text, namespace) for text in request.words}
        graph = request.graph and (request.graph, _value_of(request.graph, namespace))
        self._look(request, namespace, expressions, graph or None)

    def _look(
        self,
        request: Request,
        namespace: dict[str, object],
        expressions: Mapping[str, object],
        graph: tuple[str, object] | None,
    ) -> None:
        with contained("look at the gradients"):
            from ipygradmagic.api import look  # torch, only now that someone looks

            try:
                report = look(
                    namespace,
                    expressions,
                    graph=graph,
                    options=request.options,
                    cell_of=cell_namer(self.shell),
                )
            except GradMagicError as error:
                raise UsageError(str(error)) from None
            publish(self.shell, report, request.options.format)


def parser_of(magics: GradMagics | type[GradMagics], name: str) -> ArgumentParser:
    """The parser that IPython's decorators have put on a magic."""
    return cast(ArgumentParser, getattr(magics, name).parser)


def _value_of(expression: str, namespace: dict[str, object]) -> object:
    """Evaluate what the user typed.

    Raises:
        UsageError: It cannot be evaluated; says why, and what exists.
    """
    try:
        # A copy, for eval adds to what it gets; as globals, so that comprehensions see it.
        return eval(compile(expression.strip(), "<grad_state>", "eval"), dict(namespace))
    except SyntaxError:
        reason = "is no expression; put one with blanks into brackets or quotes"
    except Exception as error:
        reason = f"cannot be evaluated ({type(error).__name__}: {error})"
    raise UsageError(f"{expression!r} {reason}; {names.what_exists(expression, namespace)}")
