import CommandLineTool
import Glibc

let program = Program()
exit(await program.run(arguments: Array(CommandLine.arguments.dropFirst())))
