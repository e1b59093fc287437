// Runs a script under MicroPython's WebAssembly port:
//   node run.mjs MICROPYTHON.mjs SCRIPT FILE...   (the files lie in / for the script)
import fs from "node:fs";
import path from "node:path";

const [module, script, ...files] = process.argv.slice(2);
const { loadMicroPython } = await import(path.resolve(module));
const micropython = await loadMicroPython({
  stdout: (line) => process.stdout.write(line + "\n"),
  linebuffer: true,
});
for (const file of files) {
  micropython.FS.writeFile("/" + path.basename(file), fs.readFileSync(file));
}
micropython.runPython(fs.readFileSync(script, "utf-8"));
