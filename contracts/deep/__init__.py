"""The vault's bytecode under two strong tools of others: forge's fuzzer, and halmos' prover."""
