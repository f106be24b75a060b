"""What the operator does, and how the node knows that it is the operator."""
