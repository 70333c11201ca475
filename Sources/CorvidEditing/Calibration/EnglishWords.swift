/// Words of no domain: a small list of common English words, for lack of a dictionary that may be copied. Give
/// another list where a task's own words are among these.
public enum EnglishWords {
    /// Common words, alphabetically, none twice.
    public static let common: [String] = Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
        .sorted()

    /// What stands at each place of a sentence that says nothing.
    static let sentence: [[String]] = [
        ["The", "One", "Each", "Another", "Some", "This", "That", "Every"],
        ["large", "small", "round", "blue", "quiet", "wooden", "early", "plain", "narrow", "distant"],
        ["table", "river", "letter", "window", "engine", "garden", "number", "mountain", "basket", "road"],
        ["stands near", "follows", "covers", "carries", "reaches", "contains", "touches", "crosses"],
        ["the", "a"],
        ["short", "second", "yellow", "heavy", "open", "central", "metal", "broad", "ordinary", "tall"],
        ["bridge", "paper", "field", "corner", "bottle", "signal", "lake", "wheel", "roof", "curtain"],
    ]

    private static let text = """
        able about above accept according account across act action actually add address admit adult affect
        after again against age agency agent ago agree ahead air all allow almost alone along already also
        although always among amount analysis and animal another answer any anyone anything appear apple
        apply approach area argue arm around arrive art article artist as ask assume at attack attention
        audience author autumn available avoid away baby back bag balance ball band bank bar base basic
        basket be bean bear beat become bed before begin behavior behind believe bell belong below beside
        between beyond big bird bit black block blood blow blue board boat body bone book border both bottle
        bottom box boy branch bread break bridge brief bring brother brown budget build building bus
        business but butter button buy by call camera camp can candle capital captain car card care career
        carry case cat catch cause cell center central century certain chain chair chance change character
        charge chart check child choice choose church circle citizen city claim class clean clear clearly
        climb clock close cloth cloud coast coat coffee cold collect collection college color column come
        common community company compare computer concern condition consider contain continue control cook
        copy corn corner cost could count country county couple course court cousin cover cow create crop
        cross crowd cup current curtain customer cut dark data date daughter day deal debate decade decide
        decision deep degree deliver depend describe desert design desk despite detail determine develop
        development die difference different dinner direction director discover discuss discussion distance
        district do doctor dog door down draw dream dress drink drive drop dry during dust each ear early
        earth east easy eat edge education effect effort egg eight either election electric else employee
        end energy engine enough enter entire environment equal especially establish even evening event ever
        every everyone everything evidence exact example except exist expect experience expert explain eye
        face fact factor factory fall family far farm farmer fast father feather feature feel feeling fence
        few field fifteen fifth fill final find fine finger finish fire firm first fish five flat floor
        flour flow flower fly focus follow food foot for force foreign forest forget fork form former
        forward four frame free fresh friend from front fruit full fund future garden gas gate general
        generation gentle get girl give glass go goal gold government grain grass gray great green ground
        group grow growth guess guide hair half hall hand handle hang happen harbor hat have he head health
        hear heart heat heavy height help her here herself high hill him himself his history hold hole home
        horse hospital hot hotel hour house how however human hundred ice idea identify if image imagine
        impact in include increase indeed indicate individual industry information ink inside instead
        interest interview into iron island issue it item itself jacket job join journey judge juice jump
        just keep kettle key kid kind king kitchen knee knife know knowledge lake lamp land language large
        last late later laugh law lawyer lay lead leader leaf learn least leather leave left leg legal
        length less let letter level library lid lie life light like likely line lion list listen little
        live local long look lose lot low lower lunch machine magazine main maintain major make man manage
        manager many map march mark market matter may maybe meadow mean measure meat medical meet meeting
        member memory mention message metal method middle might mile military milk million mind minute
        mirror miss model modern moment money month moon more morning most mother mountain mouse mouth move
        movement much music must my name narrow nation national natural nature near nearly necessary neck
        need needle neighbor network never new news newspaper next night nine no none nor north nose not
        note nothing notice now number occur ocean of off offer office officer official often oil old on
        once one onion only onto open operation opportunity option or orange order organization other others
        our out outside over own owner page paint pair pan paper parent park part particular particularly
        partner party pass past path pattern pay pen pencil people pepper per perform performance perhaps
        period person phone physical piano pick picture piece pipe place plan plane plant plate play player
        pocket point pole police policy pond population position possible post pot potato potential pound
        power practice prepare present president press pretty prevent price print private probably process
        produce product production program project property protect provide public pull purpose push put
        quality quarter question quick quiet quite race radio rail rain raise range rate rather reach read
        ready real reality realize really reason receive recent recently recognize record red reduce reflect
        region relate relationship remain remember remove repeat replace report represent require research
        resource respond response rest result return rice ride right ring rise river road rock role roof
        room root rope rose round row rule run salt same sand save say scale scene school science scientist
        screen sea season seat second section see seed seek seem sell send senior sentence separate series
        serious serve service set seven several shade shake shape share she sheep sheet shelf ship shirt
        shoe shoot shop shore short should shoulder show side sign signal silver similar simple simply since
        sing single sister sit site situation six size skin sky sleep slow small smoke snow so soap social
        society sock soft soil soldier some somebody someone something sometimes son song soon sort sound
        soup source south space speak special specific speech spend spoon sport spring square staff stage
        stair stamp stand standard star start state statement station stay steam steel step stick still
        stone stop store storm story straight strategy street string strong structure student study stuff
        style subject such sudden sugar suggest suit summer sun supper supply support sure surface sweet
        swim system table tail take talk tall task tax tea teach teacher team tell ten tend term test than
        thank that the their them then theory there these they thick thin thing think third this those
        though thought thousand thread three through throughout throw thus ticket tie time to today together
        tomorrow tongue tonight too tool tooth top total touch toward tower town toy track trade traditional
        train travel treat treatment tree trial trip truck true try turn twelve twenty two type umbrella
        under understand unit until up upon us use usually valley value various very view village visit
        voice wait walk wall want warm wash watch water wave way we wear weather week weight west wet what
        whatever wheat wheel when where whether which while white who whole whom whose why wide wife will
        wind window wing winter wire wish with within without woman wonder wood wool word work worker world
        would write writer yard year yellow yes yesterday yet you young your zero
        """
}
