import CommandLineTool
import Glibc

exit(await runProgram(arguments: Array(CommandLine.arguments.dropFirst())))
