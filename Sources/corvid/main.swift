import CorvidCommands

await Launch.main()
