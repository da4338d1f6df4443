"""`leadbus rules fit`: learns points from outcomes, says how well they rank, and applies nothing."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from leadbus.cli.calls import HOW, ask, console
from leadbus.cli.groups import group
from leadbus.errors import LeadbusError

HELP = f"""Learn points from what became of leads. It proposes; it never puts anything in force.

  leadbus rules fit leads.csv --outcome Converted     a table of points from a file of leads
  leadbus rules fit leads.csv --outcome Converted --leave-out Tags --leave-out 'Score *'
  leadbus rules fit leads.csv --outcome Stage --won Customer --won Signed
  leadbus rules fit --tenant acme                     points for each event, from what CRMs told of prospects
  leadbus rules fit --tenant acme --rules new.json    the same, and the proposed rules in a file

Leave out what was filled in after the outcome: it would know the answer. A column that alone ranks
suspiciously well is left out by itself, with a warning; --keep NAME learns from it nevertheless.

Without a file, scoring is asked. {HOW}
"""
MISSING = "Learning needs scikit-learn: pip install 'leadbus-scoring[fitting]'"

Names = list[str] | None


def register(root: typer.Typer) -> None:
    """Adds `rules fit`."""
    group(root, "rules", "The rules by which prospects are scored.").command("fit", help=HELP)(fit)


def fit(
    file: Annotated[Path | None, typer.Argument(help="A CSV file of leads; without it, one's own.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Of a file: the column with the outcome.")] = None,
    tenant: Annotated[
        str | None, typer.Option(help="As operator: the tenant to ask for.", envvar="LEADBUS_TENANT")
    ] = None,
    won: Annotated[Names, typer.Option(help="An outcome, or an opportunity's stage, that means won.")] = None,
    lost: Annotated[Names, typer.Option(help="A stage that means lost.")] = None,
    disqualified: Annotated[Names, typer.Option(help="A lead's status that means: never a prospect.")] = None,
    leave_out: Annotated[Names, typer.Option(help="A column not to learn from; * = any letters.")] = None,
    keep: Annotated[Names, typer.Option(help="A column, or type of event, to learn from anyway.")] = None,
    event: Annotated[
        Names, typer.Option(help="COLUMN=TYPE or COLUMN:CELL=TYPE: tells the default rules of events.")
    ] = None,
    lines: Annotated[int, typer.Option(help="The longest table, of a file.", min=1, max=200)] = 20,
    seed: Annotated[int, typer.Option(help="Parts the leads in another way.")] = 1,
    rules: Annotated[Path | None, typer.Option(help="Write the proposal there: .json or .yaml.")] = None,
) -> None:
    """See HELP."""
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError:
        raise LeadbusError(MISSING) from None
    if file is None:
        words = {"won": won or [], "lost": lost or [], "disqualified": disqualified or []}
        document = _of_own(tenant, words, keep or [], seed)
    elif outcome is None:
        raise LeadbusError("Say with --outcome which column holds what became of the leads.")
    else:
        from scoring.fitting import proposal, report
        from scoring.fitting.leads import read_leads
        from scoring.fitting.table_points import fit as fit_table

        fitted = fit_table(
            read_leads(file, outcome, won or []),
            leave_out=leave_out or [],
            keep=keep or [],
            events=event or [],
            lines=lines,
            seed=seed,
        )
        report.show_table(console, fitted)
        document = proposal.table_document(fitted)
    if rules is not None:
        from scoring.fitting.proposal import write

        write(document, rules)
        console.print(f"\nThe proposal is in {rules}; nothing is changed by it.")


def _of_own(tenant: str | None, words: dict[str, list[str]], keep: list[str], seed: int) -> dict[str, Any]:
    from scoring.fitting import event_points, proposal, report
    from scoring.rules import DEFAULTS, RulesBody

    about = {"tenant_id": tenant} if tenant else {}
    in_force = ask("scoring", "GET", "/v1/rules", params=about)
    rows = _rows(about | words)
    if not rows:
        raise LeadbusError("No CRM has told of a prospect yet, so there is nothing to learn from.")
    decided = [row for row in rows if row["outcome"]]
    _say_words(rows)
    prospects = event_points.Prospects(
        [row["events"] for row in decided], [row["outcome"] == "won" for row in decided]
    )
    points = RulesBody.model_validate(in_force).points
    found = event_points.propose(
        prospects,
        {type_: float(each) for type_, each in points.items()},
        {type_: float(each) for type_, each in DEFAULTS.items()},
        keep=keep,
        seed=seed,
    )
    report.show_events(console, found, sum(prospects.won) / len(prospects.won))
    return proposal.rules_with(in_force, found)


def _rows(params: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = ask("scoring", "GET", "/v1/outcomes", params=params | ({"after": after} if after else {}))
        rows += page["rows"]
        after = page["next"]
    return rows


def _say_words(rows: list[dict[str, Any]]) -> None:
    """How each stage and status was understood: a word of one's own may have gone unseen."""
    counted = Counter(row["outcome"] or "undecided" for row in rows)
    console.print(f"Prospects that a CRM holds: {', '.join(f'{n} {o}' for o, n in sorted(counted.items()))}.")
    undecided = Counter(said for row in rows if not row["outcome"] for said in row["said"])
    if undecided:
        most = ", ".join(f"{said} ({n})" for said, n in undecided.most_common(10))
        console.print(f"Undecided are: {most}. --won, --lost and --disqualified say otherwise.")
