"""The front door in Python: ``import junheng as jh; jh.plan(jh.read_county("nanpu"))``.

Re-exports the verbs and the objects they take and return; nothing else lives here.
"""

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.corrections.copying import correct
from geodata.demo.county import write_demo_county
from geodata.folder.annotated import write_marked
from geodata.folder.reading import check, read_county
from geodata.travel.times import TravelTimes, travel_times
from maps.dossier.dossier import write_dossier, write_public
from maps.folders.alternatives import write_alternatives
from maps.folders.frontier import write_frontier
from maps.folders.shown import StudyPage
from maps.province.folder import write_province
from maps.reports.single import write_single_reports
from maps.robust.folder import write_robust
from maps.stress.folder import write_stress
from maps.supervision.folder import write_supervision
from maps.web.notebook import PlanMap
from maps.why.folder import write_why
from models.plan.arrangement import today_as_plan
from models.plan.decisions import Plan, PlanResult, Verdict
from models.plan.record import read_plan
from models.referee.audit import Audit, audit
from models.referee.verdict import judge
from models.standards.norms import Standards, load_standards
from models.study.provincial import Province
from models.study.robust import Robust
from models.study.stressed import Stress
from models.study.trades import Trades
from models.study.why import Whys
from models.supervision.supervision import Supervision
from optimizer.infeasibility.impossible import explain_request
from optimizer.job import Job
from optimizer.scenario import Scenario, read_scenario
from optimizer.solver.stopping import Stop
from optimizer.study.alternatives import alternatives
from optimizer.study.frontier import frontier
from optimizer.study.province.asked import read_province
from optimizer.study.province.province import province
from optimizer.study.robust.robust import robust
from optimizer.study.stress.futures import Futures, read_futures
from optimizer.study.stress.stress import stress
from optimizer.verbs.evaluate import evaluate
from optimizer.verbs.explain import explain_school
from optimizer.verbs.least_budget import least_budget
from optimizer.verbs.plan import held_in, plan
from optimizer.verbs.recorded import result_in
from optimizer.verbs.repair import nearest_repair
from optimizer.verbs.replay import replay
from optimizer.verbs.supervise import archive, carry_on, supervise
from optimizer.verbs.template import write_template
from optimizer.verbs.trades import trades
from optimizer.verbs.why import recorded_plan, why

__all__ = [
    "Audit",
    "County",
    "Finding",
    "Futures",
    "InputProblems",
    "Job",
    "Plan",
    "PlanMap",
    "PlanResult",
    "Province",
    "Robust",
    "Scenario",
    "Standards",
    "Stop",
    "Stress",
    "StudyPage",
    "Supervision",
    "Trades",
    "TravelTimes",
    "Verdict",
    "Whys",
    "alternatives",
    "archive",
    "audit",
    "carry_on",
    "check",
    "correct",
    "evaluate",
    "explain_request",
    "explain_school",
    "frontier",
    "held_in",
    "judge",
    "least_budget",
    "load_standards",
    "nearest_repair",
    "plan",
    "province",
    "read_county",
    "read_futures",
    "read_plan",
    "read_province",
    "read_scenario",
    "recorded_plan",
    "replay",
    "result_in",
    "robust",
    "stress",
    "supervise",
    "today_as_plan",
    "trades",
    "travel_times",
    "why",
    "write_alternatives",
    "write_demo_county",
    "write_dossier",
    "write_frontier",
    "write_marked",
    "write_province",
    "write_public",
    "write_robust",
    "write_single_reports",
    "write_stress",
    "write_supervision",
    "write_template",
    "write_why",
]
