import Graph
import Tensors
import Testing

@Suite("Types of training operations")
struct TrainingInferenceTests {
    @Test("are inferred", arguments: TrainingCases.cases.indices)
    func results(index: Int) throws {
        let (operation, operands, result) = TrainingCases.cases[index]
        #expect(try operation.inferType(operands: operands) == result)
    }

    @Test(
        "want each operand: one fewer or one more is refused",
        arguments: TrainingCases.cases.indices)
    func operandCounts(index: Int) {
        let (operation, operands, _) = TrainingCases.cases[index]
        let takesAny: Set = ["squaredNorm", "isFinite", "stack"]
        var wrong = [operands + [TensorType(.float32, [3])]]
        if takesAny.contains(operation.name) {
            wrong = [Array(operands.prefix(operation == .stack ? 1 : 0))]
        } else if !operands.isEmpty {
            wrong.append(operands.dropLast())
        }
        for operands in wrong {
            #expect(code(operation, operands) == .operandCountMismatch, "\(operation.name)")
        }
    }

    @Test("want each operand's shape and element type", arguments: TrainingCases.cases.indices)
    func operandTypes(index: Int) {
        let (operation, operands, result) = TrainingCases.cases[index]
        for place in operands.indices {
            var wrong = operands
            wrong[place].elementType = .int64
            #expect(code(operation, wrong) == .elementTypeMismatch, "\(operation.name) \(place)")
            wrong = operands
            wrong[place].shape = Shape([3, 1, 4, 1, 5, 9])
            // What takes a tensor of any shape gives a result that follows it.
            if let other = try? operation.inferType(operands: wrong) {
                let followers: Set = [
                    "row", "reciprocal", "squaredNorm", "isFinite", "channelSums",
                    "replicaMean",
                ]
                let isScalarProduct = operation == .multiply && operands[1].shape.rank == 0
                #expect(followers.contains(operation.name) || isScalarProduct, "\(operation.name)")
                let isNumber = result.shape.rank == 0
                #expect(isNumber || other != result, "\(operation.name) \(place)")
            } else {
                let found = code(operation, wrong)
                #expect(
                    found == .rankMismatch || found == .shapeMismatch, "\(operation.name) \(place)")
            }
        }
    }

    private func code(
        _ operation: Operation, _ operands: [TensorType]
    ) -> GraphError.Code? {
        error(operation, operands)?.code
    }

    private func error(
        _ operation: Operation, _ operands: [TensorType]
    ) -> GraphError? {
        do throws(GraphError) {
            _ = try operation.inferType(operands: operands)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "are refused where an attribute or an operand is out of range",
        arguments: TrainingCases.mistakes.indices)
    func mistake(index: Int) {
        let (operation, operands, code, message) = TrainingCases.mistakes[index]
        let error = error(operation, operands)
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
        #expect(error?.message.hasPrefix(operation.name) == true)
    }
}
