from __future__ import annotations


def registries(ip) -> dict[str, list[int]]:
    """Everything that an extension can touch, by identity."""
    manager = ip.magics_manager

    def items(table):
        return [(key, id(value)) for key, value in table.items()]

    return {
        "cleanup": [id(x) for x in ip.input_transformers_cleanup],
        "post": [id(x) for x in ip.input_transformers_post],
        "ast": [id(x) for x in ip.ast_transformers],
        "matchers": [id(x) for x in ip.Completer.custom_matchers],
        "configurables": [id(x) for x in ip.configurables],
        "cell": items(manager.magics["cell"]),
        "line": items(manager.magics["line"]),
        "registry": items(manager.registry),
        "user": sorted(ip.user_ns),
        **{event: [id(f) for f in fs] for event, fs in ip.events.callbacks.items()},
    }


# Through the manager, not %load_ext: that magic itself is loaded at its first use.


def ours(ip) -> list[int]:
    return [len(v) for v in registries(ip).values()]


def test_load_and_unload(bare, api):
    extensions = bare.extension_manager
    before = registries(bare)
    extensions.load_extension("ipygradmagic")
    once = registries(bare)
    assert once != before
    extensions.load_extension("ipygradmagic")
    assert registries(bare) == once
    extensions.unload_extension("ipygradmagic")
    assert registries(bare) == before and api.forgotten == [1]
    extensions.unload_extension("ipygradmagic")
    assert registries(bare) == before


def test_reload_leaves_one_copy(bare, api):
    extensions = bare.extension_manager
    extensions.load_extension("ipygradmagic")
    counts = ours(bare)
    for _ in range(3):
        extensions.reload_extension("ipygradmagic")
    assert ours(bare) == counts
    bare.run_cell("%%trace_grad\nx = 1")
    assert len(api.reports) == 1


def test_direct_double_load(bare, api):
    import ipygradmagic

    before = registries(bare)
    ipygradmagic.load_ipython_extension(bare)
    once = registries(bare)
    ipygradmagic.load_ipython_extension(bare)
    assert registries(bare) == once
    ipygradmagic.unload_ipython_extension(bare)
    ipygradmagic.unload_ipython_extension(bare)
    assert registries(bare) == before


def test_a_magic_of_the_same_name_comes_back(bare, api):
    bare.register_magic_function(lambda line: "theirs", "line", "grad_state")
    bare.run_line_magic("load_ext", "ipygradmagic")
    bare.run_line_magic("unload_ext", "ipygradmagic")
    assert bare.run_line_magic("grad_state", "") == "theirs"


def test_unload_inside_a_traced_cell(run, ip, api):
    r = run("%%trace_grad\n%unload_ext ipygradmagic\n6 * 7")
    assert r.ok and r.value == 42 and len(api.reports) == 1 and not api.running
    r = run("%%trace_grad\n1")
    assert not r.ok and "not found" in r.err


def test_reload_inside_a_traced_cell(run, ip, api):
    assert run("%%trace_grad\n%reload_ext ipygradmagic\n6 * 7").value == 42
    assert len(api.reports) == 1
    assert run("%%trace_grad\n1").value == 1 and len(api.reports) == 2


def test_load_inside_a_cell_that_then_traces(bare, api):
    bare.run_cell(
        "ip = get_ipython()\nip.run_line_magic('load_ext', 'ipygradmagic')\n"
        "ip.run_cell('%%trace_grad\\n1')\nseen = len(__import__('fake_api').reports)"
    )
    assert bare.user_ns["seen"] == 1 and not api.running


def test_lists_keep_the_others_entries(bare, api):
    bare.run_line_magic("load_ext", "ipygradmagic")
    mine = [].append
    bare.input_transformers_cleanup.append(mine)
    bare.run_line_magic("unload_ext", "ipygradmagic")
    assert bare.input_transformers_cleanup[-1] is mine
    bare.input_transformers_cleanup.remove(mine)
