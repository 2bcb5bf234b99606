import Datasets
import Native
import TestSupport
import Testing

@Suite("Lists")
struct SampleListTests {
    private func open(_ text: String, name: String = "list.csv") throws -> Dataset {
        let folder = try DataFolder()
        let path = try folder.write(text, to: name)
        return try Dataset.open(path, part: .all)
    }

    @Test("find columns by their names, and keep their order")
    func header() throws {
        let data = try open("Label,id,File\nrose,1,b.jpg\n\"lily, white\",2,\"a \"\"x\"\".jpg\"\n")
        #expect(data.listing == ["b.jpg rose", "a \"x\".jpg lily, white"])
        #expect(data.classNames == ["lily, white", "rose"])
    }

    @Test("number classes by the column index, and name them by label")
    func index() throws {
        let data = try open("file,index,label\na.jpg,2,crane\nb.jpg,0,crane\n")
        #expect(data.classNames == ["crane", "class 1", "crane"])
        #expect(data.samples.map { $0.label } == [2, 0])
    }

    @Test(
        "are read without a header, and with tabs, semicolons, carriage returns and a byte order mark",
        arguments: [
            "x/a.jpg,rose\ny/b.jpg,lily\n", "x/a.jpg\trose\r\ny/b.jpg\tlily",
            "\u{FEFF}x/a.jpg;rose\n\n\ny/b.jpg;lily\n", "./x//a.jpg,rose\nz/../y/b.jpg,lily\n",
        ])
    func plain(text: String) throws {
        let data = try open(text, name: "list.tsv")
        #expect(data.listing == ["x/a.jpg rose", "y/b.jpg lily"])
    }

    @Test("take whole numbers for the classes' numbers")
    func numbers() throws {
        let data = try open("a.jpg,10\nb.jpg,9\n")
        #expect(data.samples.map { $0.label } == [10, 9])
        #expect(data.classNames.count == 11 && data.classNames[9] == "class 9")
    }

    @Test("say which part a picture is of")
    func parts() throws {
        let folder = try DataFolder()
        let path = try folder.write(
            "path,label,split\na.jpg,x,train\nb.jpg,y,training\nc.jpg,x,val\nd.jpg,y,test\n",
            to: "l.csv")
        let split = try DatasetSplit.open(path)
        #expect(split.training.listing == ["a.jpg x", "b.jpg y"])
        #expect(split.validation.listing == ["c.jpg x"])
        #expect(try Dataset.open(path, part: .test).listing == ["d.jpg y"])
    }

    @Test("leave out pictures of no part, and say so, also where some are split off")
    func noPart() throws {
        for last in ["val", "train"] {
            let folder = try DataFolder()
            var list = "path,label,split\n"
            for number in 0..<8 {
                try folder.write([UInt8(number)], to: "\(number).jpg")
                let part = number < 4 ? "train" : number < 6 ? last : ""
                list += "\(number).jpg,\(number % 2 == 0 ? "x" : "y"),\(part)\n"
            }
            let split = try DatasetSplit.open(try folder.write(list, to: "l.csv"))
            #expect(split.notes.contains("2 pictures are of no part: left out"), "\(last)")
            #expect(split.validation.samples.count == 2)
            #expect(split.sides.map { $0.part } == [.training, .validation, nil])
            #expect(split.others.map { $0.dataset.listing } == [["6.jpg x", "7.jpg y"]])
        }
        let folder = try DataFolder()
        let path = try folder.write(
            "path,label,split\na.jpg,x,train\nb.jpg,y,train\nc.jpg,x,val\nd.jpg,y,test\n",
            to: "l.csv")
        let split = try DatasetSplit.open(path)
        #expect(split.sides.map { $0.part } == [.training, .validation, .test])
        #expect(split.others.map { $0.dataset.listing } == [["d.jpg y"]])
    }

    @Test("repeat a row once, and refuse a second label")
    func repeats() throws {
        let data = try open("a.jpg,x\nb.jpg,y\na.jpg,x\n")
        #expect(data.listing == ["a.jpg x", "b.jpg y"])
        #expect(data.notes == ["1 rows repeat earlier ones: left out"])
        #expect(message { _ = try open("a.jpg,x\nb.jpg,y\na.jpg,y\n") }.contains("line 3: a.jpg"))
    }

    @Test(
        "refuse what makes no sense, with the line",
        arguments: [
            ("file,label\na.jpg\n", "line 2"), ("file,label\n,rose\n", "line 2"),
            ("file,index\na.jpg,two\n", "line 2: expected a class's number"),
            ("file,label,split\na.jpg,x,later\n", "found \"later\""),
            ("file,label\n\"a.jpg,x\n", "line 2: a quoted field does not end"),
            ("file,label\n\"a\"b.jpg,x\n", "after its closing quote"),
            ("file,id\na.jpg,x\n", "expected a column label or index"),
            ("picture,label\na.jpg,x\n", "expected a header with file"),
            ("a.jpg\nb.jpg\n", "found 1 fields"), ("", "expected"),
            ("file,label\n", "header alone"),
            ("a.jpg,x\n../b.jpg,y\n", "line 2: expected a path below the list's folder"),
            ("a.jpg,x\n/etc/b.jpg,y\n", "line 2: expected a path below the list's folder"),
            ("a.jpg,x\nx/../../b.jpg,y\n", "line 2"),
            // To the system a slash with an accent over it is a slash, and a file's name begins with the accent.
            ("a.jpg,x\n../\u{301}b.jpg,y\n", "line 2: expected a path below the list's folder"),
            ("a.jpg,x\n/\u{301}b.jpg,y\n", "line 2: expected a path below the list's folder"),
            ("a.jpg,x\nb\0.jpg,y\n", "line 2"),
            ("file,index\na.jpg,999999999\n", "expected at most 1000000 classes"),
        ])
    func refuses(text: String, expected: String) {
        let found = message { _ = try open(text) }
        #expect(found.contains(expected), "\(found)")
    }

    @Test("name files outside their folder where that is allowed")
    func outside() throws {
        let pictures = try DataFolder()
        let file = try pictures.write([7], to: "a.jpg")
        let folder = try DataFolder()
        let path = try folder.write("\(file),x\n../b.jpg,y\n", to: "l.csv")
        let options = DatasetOptions(allowsOutsidePaths: true)
        let data = try Dataset.open(path, options: options)
        #expect(data.samples.map { $0.name } == [file, "../b.jpg"])
        #expect(try data.bytes(0) == [7])
    }

    @Test("is asked for where it lies beside a folder of pictures")
    func besideFolder() throws {
        let folder = try DataFolder()
        try folder.write("images/a.jpg,x\n", to: "labels.csv")
        try folder.write([1], to: "images/a.jpg")
        let found = message { _ = try Dataset.open(folder.path) }
        #expect(found.contains("give the list itself: \(folder.path)/labels.csv"))
    }

    @Test(
        "are read as photos have them",
        .enabled(if: SharedData.path("photos") != nil, "no shared data"))
    func real() throws {
        let photos = try #require(SharedData.path("photos"))
        let data = try Dataset.open(photos + "/labels.csv")
        #expect(data.samples.count == 200)
        #expect(data.samples[0].name == "images/668bc83a884d24f9.png")
        #expect(data.samples[0].label == 2)
        #expect(
            data.classNames[2]
                == "great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias"
        )
        #expect(try data.bytes(199).count > 1000)
    }
}
