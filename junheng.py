"""The front door in Python: ``import junheng as jh; jh.plan(jh.read_county("nanpu"))``.

Re-exports the verbs and the objects they take and return; nothing else lives here.
"""

from geodata.county import County
from geodata.democounty import write_demo_county
from geodata.findings import Finding, InputProblems
from geodata.marked import write_marked
from geodata.reading import check, read_county
from geodata.template import write_template
from geodata.traveltimes import TravelTimes, travel_times
from maps.alternatives import write_alternatives
from maps.dossier import write_dossier
from maps.frontier import write_frontier
from models.audit import Audit, audit
from models.norms import Standards, load_standards
from models.plan import Plan, PlanResult, Verdict
from models.referee import judge
from optimizer.alternatives import alternatives
from optimizer.explaining import explain_school
from optimizer.frontier import frontier
from optimizer.impossible import explain_request
from optimizer.planning import plan
from optimizer.scenario import Scenario, read_scenario

__all__ = [
    "Audit",
    "County",
    "Finding",
    "InputProblems",
    "Plan",
    "PlanResult",
    "Scenario",
    "Standards",
    "TravelTimes",
    "Verdict",
    "alternatives",
    "audit",
    "check",
    "explain_request",
    "explain_school",
    "frontier",
    "judge",
    "load_standards",
    "plan",
    "read_county",
    "read_scenario",
    "travel_times",
    "write_alternatives",
    "write_demo_county",
    "write_dossier",
    "write_frontier",
    "write_marked",
    "write_template",
]
