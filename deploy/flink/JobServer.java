// Beam's job server, which would send its whole class path (150 MB) to Flink with every
// job. Flink has the same jars on its own class path here (docs/deploy.md), so it is told
// that there is nothing to send: Beam looks for jars in this property.
//
//   java -cp 'beam/*:flink/*' JobServer.java --job-host=… --flink-master=…
public class JobServer {
  public static void main(String[] args) throws Exception {
    System.setProperty("java.class.path", "");
    org.apache.beam.runners.flink.FlinkJobServerDriver.main(args);
  }
}
