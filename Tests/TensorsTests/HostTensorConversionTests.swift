import Tensors
import Testing

@Suite("Conversion of tensors")
struct HostTensorConversionTests {
    @Test("rounds to the nearest of the other type, ties to even")
    func conversion() throws {
        // 1 + 2^-8 lies between two bfloat16 numbers; 1 + 3 * 2^-8 too.
        let tensor = HostTensor([1 + 0x1p-8, 1 + 0x3p-8, -2.5, .infinity], shape: [4])
        let narrow = try tensor.converted(to: .bfloat16)
        #expect(narrow.elementType == .bfloat16)
        #expect(narrow.shape == [4])
        #expect(narrow.doubles() == [1, 1 + 0x1p-6, -2.5, .infinity])
        let half = HostTensor([1 + 0x1p-11, 65520, 0x1p-24, -0.1] as [Double], shape: [2, 2])
        #expect(
            try half.converted(to: .float16).doubles()
                == [1, .infinity, 0x1p-24, -0.0999755859375])
        #expect(try half.converted(to: .float32).floats() == [1 + 0x1p-11, 65520, 0x1p-24, -0.1])
        let bytes = HostTensor([0, 255] as [UInt8], shape: [2])
        #expect(try bytes.converted(to: .float64).doubles() == [0, 255])
        #expect(try bytes.converted(to: .uint8).doubles() == [0, 255])
    }

    @Test("does not convert to whole numbers")
    func unsupported() {
        do throws(TensorError) {
            _ = try HostTensor([1] as [Float], shape: [1]).converted(to: .int32)
            Issue.record("expected an error")
        } catch {
            #expect(error.code == .unsupportedElementType)
            #expect(error.message.contains("int32"))
        }
    }

    @Test("scales slices along the first axis, each product rounded once")
    func scaling() {
        let values: [Float] = [1, 2, 3, 4, 0.1, 6]
        let scaled = HostTensor(values, shape: [3, 2]).scaled(alongFirstAxisBy: [2, -1, 1.0 / 3])
        #expect(
            scaled.floats()
                == [2, 4, -3, -4, Float(Double(Float(0.1)) * (1.0 / 3)), 2])
        #expect(scaled.shape == [3, 2])
        let double = HostTensor([1, 0.1] as [Double], shape: [2])
        #expect(double.scaled(alongFirstAxisBy: [3, 3]).doubles() == [3, 0.1 * 3])
        let narrow = HostTensor([BFloat16(3)], shape: [1]).scaled(alongFirstAxisBy: [0.1])
        #expect(narrow.elementType == .float32)
        #expect(narrow.floats() == [Float(3 * 0.1)])
    }

    @Test("fills fresh memory in place")
    func writing() {
        let tensor = HostTensor(shape: [2, 3]) { elements in
            for index in elements.indices where index > 0 { elements[index] = Float(index) / 2 }
        }
        #expect(tensor.floats() == [0, 0.5, 1, 1.5, 2, 2.5])
    }
}
