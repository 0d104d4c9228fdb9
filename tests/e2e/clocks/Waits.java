// Every way in which Java waits, at once; prints as waits.c does. Arguments: seconds, a file's path.
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

public class Waits {
  interface Wait {
    void run() throws Exception;
  }
  static String path;

  static double machine(Path stamp) throws Exception {
    Files.write(stamp, new byte[] {46});
    return Files.getLastModifiedTime(stamp).to(TimeUnit.MICROSECONDS) / 1e6;
  }

  static void begin(String name, Wait wait) {
    new Thread(() -> {
      try {
        Path stamp = Path.of(path + "." + name);
        double real = machine(stamp);
        long begun = System.nanoTime(), calendar = System.currentTimeMillis();
        wait.run();
        double took = (System.nanoTime() - begun) / 1e9, seen = (System.currentTimeMillis() - calendar) / 1e3;
        System.out.printf("%s %.3f %.3f %.3f%n", name, took, seen, machine(stamp) - real);
        Files.delete(stamp);
      } catch (Exception failure) {
        failure.printStackTrace();
      }
    }).start();
  }

  static void read(int ms) throws Exception {
    ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Socket socket = new Socket(server.getInetAddress(), server.getLocalPort());
    socket.setSoTimeout(ms);
    try {
      socket.getInputStream().read();
    } catch (SocketTimeoutException expected) {
    }
  }

  static void accept(int ms) throws Exception {
    ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    server.setSoTimeout(ms);
    try {
      server.accept();
    } catch (SocketTimeoutException expected) {
    }
  }

  public static void main(String[] words) throws Exception {
    int seconds = Integer.parseInt(words[0]), ms = seconds * 1000;
    path = words[1];
    Object monitor = new Object();
    begin("java_sleep", () -> Thread.sleep(ms));
    begin("java_wait", () -> {
      synchronized (monitor) {
        monitor.wait(ms);
      }
    });
    begin("java_park", () -> LockSupport.parkNanos(seconds * 1_000_000_000L));
    begin("java_park_until", () -> LockSupport.parkUntil(System.currentTimeMillis() + ms));
    begin("java_scheduled", () -> {
      var pool = Executors.newScheduledThreadPool(1);
      pool.schedule(() -> 1, seconds, TimeUnit.SECONDS).get();
      pool.shutdown();
    });
    begin("java_select", () -> Selector.open().select(ms));
    begin("java_accept", () -> accept(ms));
    begin("java_read", () -> read(ms));
    begin("java_child", () -> new ProcessBuilder("sleep", words[0]).start().waitFor());
    begin("java_child_limit", () -> {
      Process child = new ProcessBuilder("sleep", words[0] + "000").start();
      child.waitFor(seconds, TimeUnit.SECONDS);
      child.destroy();
    });
  }
}
