"""Whether what really happened is what the model checker explores: the two sides of spec/composition.yaml."""
