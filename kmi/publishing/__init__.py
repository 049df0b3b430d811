"""From a checkout to the Hub: which repositories there are, what goes into each, whether it may go, and sending it.

    python scripts/publish.py --namespace ORG --dry-run

In order: `repositories` (which), `staging` (their files as the Hub gets them), `checks` (refusals), `hub` (compare, commit, tag).
"""
