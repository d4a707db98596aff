"""Several systems' scores made into one: the rules, and what they are fitted on.

| rule | score of a sample | fitted on dev |
|---|---|---|
| `mean` | the members' mean | nothing |
| `weighted` | sum of w_k s_k, w_k >= 0, sum 1 | w, by least log loss: convex, so found for sure |
| `stacking` | P(live) by logistic regression on the members' scores | its weights and bias |
| `published` | the largest score where the mean is above t, else the smallest | t, by fewest errors at 0.5 |

`published` is the rule of FeatherNets (Zhang et al., arXiv 1904.09290), where t was chosen on the labels that
were judged then. A sample that any member has no score for (NaN) has none from the ensemble.
"""

from fas_plugins.commands.ensemble.fit import fit
from fas_plugins.commands.ensemble.joined import Joined, joined
from fas_plugins.commands.ensemble.rule import RULES, Ensemble, Rule, RuleName

__all__ = ["RULES", "Ensemble", "Joined", "Rule", "RuleName", "fit", "joined"]
