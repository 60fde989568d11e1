"""The model checker: every state that the composition of the lifecycles can reach, and what holds in each.

``spec/composition.yaml`` says which steps there are; the lifecycles say what each event of a step does. A
layout gives every part a place in a state, moves lead from state to state, an exploration visits all of them
breadth first, and verdicts say of each promise whether it holds (docs/verification.md).
"""
