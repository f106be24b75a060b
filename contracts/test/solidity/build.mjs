// Compile the Solidity that only tests need: npm install solc@0.8.37 && node contracts/test/solidity/build.mjs
//
// The outcome, compiled.json, is committed, so that the tests need Python alone. With --check nothing is written.

import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// found from where it is run: npm installs it there, and not into this folder
const solc = createRequire(join(process.cwd(), "from-here.js"))("solc");
const folder = dirname(fileURLToPath(import.meta.url));
const names = ["Bars.sol", "HostileToken.sol", "Wallet.sol"];
const settings = {
  evmVersion: "prague",
  optimizer: { enabled: true, runs: 1000000 },
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};
const sources = Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(folder, name), "utf8") }]));
const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
const errors = (output.errors ?? []).filter((error) => error.severity === "error");
if (errors.length) {
  console.error(errors.map((error) => error.formattedMessage).join("\n"));
  process.exit(1);
}

const contracts = {};
for (const file of Object.values(output.contracts))
  for (const [name, { abi, evm }] of Object.entries(file))
    if (evm.bytecode.object) contracts[name] = { abi, bytecode: "0x" + evm.bytecode.object };
const text = JSON.stringify({ compiler: "solc " + solc.version(), contracts }, null, 1) + "\n";

const path = join(folder, "compiled.json");
if (!process.argv.includes("--check")) writeFileSync(path, text);
else if (readFileSync(path, "utf8") !== text) {
  console.error("compiled.json is not what the sources compile to");
  process.exit(1);
}
