import '../../workers/database.ts'
import './stubborn-thread.ts'
