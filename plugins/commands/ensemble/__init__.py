"""Combine the scores of several systems into one: the rules, and how they are fitted.

| rule | score of a sample | fitted on dev |
|---|---|---|
| `mean` | mean of the members' scores | nothing |
| `weighted` | sum of w_k s_k, w_k >= 0, sum 1 | w, by least log loss (a convex problem) |
| `stacking` | P(live) by logistic regression on the members' scores | its weights and bias |
| `published` | the largest score where the mean is above t, else the smallest | t, by fewest errors at 0.5 |

`published` is the rule of FeatherNets (Zhang et al., arXiv 1904.09290). The authors chose t on the labels of
the evaluated samples; here it is fitted on dev. A sample for which a member has no score (NaN) gets no
score from the ensemble.
"""
