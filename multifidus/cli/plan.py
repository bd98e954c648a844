"""``multifidus plan reliability`` and ``multifidus plan change``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from multifidus.cli.printing import print_json, print_remark

plan = typer.Typer(help="Say how many subjects a study needs.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@plan.command()
def reliability(
    icc: Annotated[float, typer.Option(help="Expected correlation of single ratings.")],
    width: Annotated[float, typer.Option(help="Wanted full width of its 95 % interval.")],
    raters: Annotated[int, typer.Option(help="How many measure each subject.")] = 2,
    json: Json = False,
) -> None:
    """Plan a study of reliability by the width of the interval of its ICC (Bonett 2002)."""
    from multifidus.stats.reliability.icc import FEW_RATERS
    from multifidus.stats.sample_size import plan_reliability

    found = plan_reliability(icc, width, raters)
    if json:
        print_json(asdict(found))
        return
    print_remark(
        f"{found.n} subjects, each measured by {raters} raters: an ICC of {icc:g} will have a 95 % "
        f"interval about {width:g} wide."
    )
    if raters < FEW_RATERS:
        print_remark(
            "That holds for ICC(1,1) and ICC(3,1). With so few raters the interval of ICC(2,1) is "
            "not to be relied on where raters differ, however many subjects there are."
        )


@plan.command()
def change(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    delta: Annotated[float, typer.Option(help="Mean change to be found, in the quantity's unit.")],
    sd: Annotated[
        float | None, typer.Option(help="Standard deviation of the subjects' changes.")
    ] = None,
    mdc: Annotated[
        float | None, typer.Option(help="Instead of --sd: MDC95 of one subject.")
    ] = None,
    spread: Annotated[
        float, typer.Option(help="With --mdc: standard deviation of the true changes.")
    ] = 0.0,
    power: Annotated[float, typer.Option(help="Wanted power.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Two-sided level of all tests together.")] = 0.05,
    tests: Annotated[int, typer.Option(help="How many tests are made together.")] = 1,
    json: Json = False,
) -> None:
    """Plan a study of change in one group by the power of the paired t test."""
    from multifidus.stats.sample_size import plan_change, sd_of_changes

    if (sd is None) == (mdc is None):
        msg = "Give --sd or --mdc, one of them."
        raise typer.BadParameter(msg)
    varying = sd if mdc is None else sd_of_changes(mdc, spread)
    assert varying is not None  # noqa: S101 - one of the two was given
    found = plan_change(delta, varying, power=power, alpha=alpha, tests=tests)
    if json:
        print_json(asdict(found))
        return
    print_remark(
        f"{found.n} subjects with both exams find a mean change of {delta:g} with a power of "
        f"{found.power:.3f}, where changes vary by {found.sd:.4g} (standard deviation), tested at "
        f"{found.alpha:g} two-sided."
    )
    if mdc is not None and not spread:
        print_remark(
            "That is measurement error alone, as if all subjects changed alike: a lower bound. "
            "Say by how much true changes vary with --spread."
        )
