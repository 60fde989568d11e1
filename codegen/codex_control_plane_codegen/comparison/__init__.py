"""Compares two contracts: what changed, whom it breaks, and whether that was meant.

Contracts are flattened into elements (`surfaces`), elements are matched into changes (`changes`), and one
table (`matrix`) says what a change of a kind of element does to each reader. `policy` then asks for what a
break needs: an approval, a new version of the contract, a migration.
"""
