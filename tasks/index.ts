// The command line: what is declared here loads with the configuration, what it does loads when it runs.
import "./deploy/declaration";
import "./reserve/declaration";
import "./audit/declaration";
import "./channel/declaration";
import "./demo/declaration";
import "./hub/declaration";
import "./link/declaration";
