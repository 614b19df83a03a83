// The command line: what is declared here loads with the configuration, what it does loads when it runs.
import "./deploy/declaration";
import "./reserve/declaration";
import "./audit/declaration";
import "./channel/declaration";
import "./app/declaration";
import "./demo/declaration";
import "./dispute/declaration";
import "./hub/declaration";
import "./link/declaration";
import "./thread/declaration";
import "./watchtower/declaration";
