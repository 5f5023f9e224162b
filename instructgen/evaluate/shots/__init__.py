"""Few-shot evaluation (Flamingo, 2204.14198; OpenFlamingo, 2308.01390): examples in the prompt, no training."""
