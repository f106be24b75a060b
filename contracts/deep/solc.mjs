#!/usr/bin/env node
// The npm compiler, as forge calls a compiler: --version, or standard JSON from the standard input.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const solc = createRequire(join(process.env.NODE_FOLDER ?? process.cwd(), "from-here.js"))("solc");
if (process.argv.includes("--version"))
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace(".Emscripten.clang", "")}.Linux.g++`);
else process.stdout.write(solc.compile(readFileSync(0, "utf8")));
