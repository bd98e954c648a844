"""``multifidus plan reliability`` and ``multifidus plan change``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from multifidus.cli.options import Json
from multifidus.cli.printing import print_json, print_remark

plan = typer.Typer(help="Calculate the sample size of a study.", no_args_is_help=True)


@plan.command()
def reliability(
    icc: Annotated[float, typer.Option(help="Expected ICC of single ratings.")],
    width: Annotated[
        float, typer.Option(help="Desired full width of its 95 % confidence interval.")
    ],
    raters: Annotated[int, typer.Option(help="Number of raters per subject.")] = 2,
    json: Json = False,
) -> None:
    """Sample size for a given width of the confidence interval of an ICC (Bonett 2002)."""
    from multifidus.stats.reliability.icc import FEW_RATERS
    from multifidus.stats.sample_size import plan_reliability

    found = plan_reliability(icc, width, raters)
    if json:
        print_json(asdict(found))
        return
    print_remark(
        f"{found.n} subjects, each measured by {raters} raters: an ICC of {icc:g} will have a 95 % "
        f"confidence interval about {width:g} wide."
    )
    if raters < FEW_RATERS:
        print_remark(
            "This applies to ICC(1,1) and ICC(3,1). With so few raters the interval of ICC(2,1) is "
            "unreliable where raters differ systematically, whatever the number of subjects."
        )


@plan.command()
def change(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    delta: Annotated[
        float, typer.Option(help="Mean change to detect, in the unit of the quantity.")
    ],
    sd: Annotated[
        float | None, typer.Option(help="Standard deviation of change among subjects.")
    ] = None,
    mdc: Annotated[
        float | None, typer.Option(help="MDC95 of one subject, instead of --sd.")
    ] = None,
    spread: Annotated[
        float, typer.Option(help="With --mdc: standard deviation of true change.")
    ] = 0.0,
    power: Annotated[float, typer.Option(help="Desired power.")] = 0.8,
    alpha: Annotated[
        float, typer.Option(help="Two-sided significance level of all tests together.")
    ] = 0.05,
    tests: Annotated[int, typer.Option(help="Number of tests in the family.")] = 1,
    json: Json = False,
) -> None:
    """Sample size to detect a mean change in one group with a paired t test."""
    from multifidus.stats.sample_size import plan_change, sd_of_changes

    if (sd is None) == (mdc is None):
        msg = "Give either --sd or --mdc."
        raise typer.BadParameter(msg)
    varying = sd if mdc is None else sd_of_changes(mdc, spread)
    assert varying is not None  # noqa: S101 - one of the two was given
    found = plan_change(delta, varying, power=power, alpha=alpha, tests=tests)
    if json:
        print_json(asdict(found))
        return
    print_remark(
        f"{found.n} subjects with both exams detect a mean change of {delta:g} with a power of "
        f"{found.power:.3f}, if the standard deviation of change is {found.sd:.4g} and the "
        f"two-sided significance level {found.alpha:g}."
    )
    if mdc is not None and not spread:
        print_remark(
            "This assumes measurement error only, as if all subjects changed equally: a lower "
            "bound. Give the standard deviation of true change with --spread."
        )
